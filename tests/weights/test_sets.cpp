// Several sets of tensors in one file, several networks that fit: one answer, or a question.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "tests/weights/made_file.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

void add_set(MadeFile& file, const std::string& prefix, std::int64_t out = 4) {
  file.add(prefix + "features.0.weight", {out, 3, 3, 3});
  file.add(prefix + "features.0.bias", {out});
}

std::string network(const std::string& name, const std::string& layers, const std::string& weights = "",
                    const std::string& input = "{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}") {
  return "name: " + name + "\ninput: " + input + "\nweights: {file: " + name + ".safetensors" + weights +
         "}\nlayers:\n" + layers;
}

constexpr const char* one = "  - {conv: conv1_1, in: 3, out: 4}\n";
constexpr const char* two = "  - {conv: conv1_1, in: 3, out: 4}\n  - {conv: conv1_2, in: 4, out: 4}\n";

/// conv1_1 and conv1_2 under their own names.
void add_plain(MadeFile& file) {
  file.add("conv1_1.weight", {4, 3, 3, 3});
  file.add("conv1_1.bias", {4});
  file.add("conv1_2.weight", {4, 4, 3, 3});
  file.add("conv1_2.bias", {4});
}

}  // namespace

TEST_CASE("of several sets that fit none is taken; --prefix says which") {
  for (const char* other : {"ema.", "model_ema.module.", "z.", "generator.", ""}) {
    MadeFile file;
    add_set(file, "state_dict.");
    add_set(file, other);
    file.put_network(one);
    file.put_torch();
    const std::string message = file.refused_mine();
    CHECK(contains(message, "several sets of its tensors fit; say which one is meant"));
    CHECK(contains(message, "--prefix state_dict. for mine"));
    file.import_mine("state_dict");
    CHECK(file.imported("conv1_1.bias") == file.values("state_dict.features.0.bias"));
    file.import_mine(other);
    CHECK(file.imported("conv1_1.bias") == file.values(std::string(other) + "features.0.bias"));
  }
}

TEST_CASE("the only set that fits is taken and named, whatever its prefix's length") {
  MadeFile file;
  add_set(file, "a.very.long.prefix.");
  add_set(file, "d.", 8);
  file.put_network(one);
  file.put_torch();
  CHECK(file.import_mine().prefix == "a.very.long.prefix. (the only one of 2 that fits)");
  CHECK(file.imported("conv1_1.bias") == file.values("a.very.long.prefix.features.0.bias"));
}

TEST_CASE("a prefix that is not there is answered with what is") {
  MadeFile file;
  add_set(file, "a.");
  file.put_network(one);
  file.put_torch();
  ImportOptions options;
  options.network = file.folder / "mine.yaml";
  options.prefix = "b.";
  const std::string message = file.refused(options);
  CHECK(contains(message, "no set of its tensors begins with 'b.'"));
  CHECK(contains(message, "a.features.0.weight"));
}

TEST_CASE("norms of a decoder beside the set are not asked about") {
  MadeFile file;
  add_set(file, "vgg.");
  file.add_norm("decoder.bn", 4);
  file.put_network(one);
  file.put_torch();
  CHECK(file.import_mine().ignored.size() == 4);
}

TEST_CASE("a file that fits networks of different layers is asked for, whatever the order of their names") {
  for (const bool longer_first : {true, false}) {
    MadeFile file;
    add_plain(file);
    file.put_safetensors();
    put_bytes(file.folder / "a.yaml", network("a", longer_first ? two : one));
    put_bytes(file.folder / "b.yaml", network("b", longer_first ? one : two));
    ImportOptions options;
    options.convention = "torchvision";
    CHECK(contains(file.refused(options), "fits more than one network: a and b; say which: --network NAME"));
    options.network = "b";
    CHECK(file.import(options).network == "b");
  }
}

TEST_CASE(
    "networks of the same layers with other weights are asked for; variants with the same weights are not") {
  MadeFile file;
  add_plain(file);
  file.put_safetensors();
  put_bytes(file.folder / "a.yaml", network("a", two));
  put_bytes(file.folder / "average.yaml", network("average", two, ", network: a"));
  ImportOptions options;
  options.convention = "torchvision";
  CHECK(file.import(options).network == "a");
  std::filesystem::remove(file.out);
  put_bytes(file.folder / "b.yaml", network("b", two));
  CHECK(contains(file.refused(options), "fits more than one network: a and b"));
}

TEST_CASE("networks that differ only in the input are told apart by the convention") {
  MadeFile file;
  add_plain(file);
  file.put_safetensors();
  put_bytes(file.folder / "a.yaml", network("a", two));
  put_bytes(file.folder / "b.yaml",
            network("b", two, "", "{order: bgr, scale: 255, mean: [123.68, 116.779, 103.939]}"));
  ImportOptions options;
  CHECK(contains(file.refused(options), "say --convention"));
  options.convention = "caffe";
  CHECK(file.import(options).network == "b");
  options.convention = "torchvision";
  const ImportReport report = file.import(options);
  CHECK(report.network == "a");
  CHECK(contains(report.text(), "network     a (the only one that fits and wants this input)"));
}

TEST_CASE("what is none of the networks is said in few lines, with the nearest") {
  MadeFile file;
  for (int i : {0, 3, 6, 8, 11, 13, 16, 18}) {
    file.add("features." + std::to_string(i) + ".weight", {4, i == 0 ? 3 : 4, 3, 3});
    file.add("features." + std::to_string(i) + ".bias", {4});
  }
  file.put_torch();
  put_bytes(file.folder / "vgg.yaml",
            network("vgg", std::string(two) +
                               "  - {pool: pool1}\n  - {conv: conv2_1, in: 4, out: 4}\n"
                               "  - {conv: conv2_2, in: 4, out: 4}\n  - {conv: conv2_3, in: 4, out: 4}\n"));
  const std::string message = file.refused();
  CHECK(contains(message, "is none of the networks here; nearest is 'vgg', which differs:"));
  CHECK(std::count(message.begin(), message.end(), '\n') <= 5);
}
