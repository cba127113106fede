// What the user wrote in a network's file is what is meant, whatever other names look like.
#include <doctest/doctest.h>

#include "tests/weights/made_file.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// Three convolutions of equal shape under features.0, features.1, features.2, which torchvision would call
/// 0, 2, 4; features.4 is another.
struct Functional : MadeFile {
  Functional() {
    add("features.0.weight", {3, 3, 3, 3});
    add("features.0.bias", {3});
    for (const char* module : {"features.1", "features.2", "features.3", "features.4"}) {
      add(std::string(module) + ".weight", {3, 3, 3, 3});
      add(std::string(module) + ".bias", {3});
    }
  }
};

constexpr const char* ignore = "weights: {file: mine.safetensors, ignore: [features.3, features.4]}\n";

}  // namespace

TEST_CASE("weight: means that tensor, also when other names look like torchvision's") {
  Functional file;
  file.put_network(
      "  - {conv: conv1_1, in: 3, out: 3, weight: features.0.weight, bias: features.0.bias}\n"
      "  - {conv: conv1_2, in: 3, out: 3, weight: features.1.weight, bias: features.1.bias}\n"
      "  - {conv: conv1_3, in: 3, out: 3, weight: features.2.weight, bias: features.2.bias}\n",
      ignore);
  for (const auto put : {&MadeFile::put_torch, &MadeFile::put_safetensors}) {
    (file.*put)();
    file.import_mine();
    CHECK(file.imported("features.1.weight") == file.values("features.1.weight"));
    CHECK(file.imported("features.2.weight") == file.values("features.2.weight"));
  }
}

TEST_CASE("the bias beside the named kernel is its bias") {
  Functional file;
  file.put_network(
      "  - {conv: a, in: 3, out: 3, weight: features.0.weight}\n"
      "  - {conv: b, in: 3, out: 3, weight: features.1.weight}\n"
      "  - {conv: c, in: 3, out: 3, weight: features.2.weight}\n",
      ignore);
  file.put_torch();
  file.import_mine();
  CHECK(file.imported("b.bias") == file.values("features.1.bias"));
}

TEST_CASE("a mapping may name a module: its kernel and its bias") {
  Functional file;
  file.put_network(
      "  - {conv: a, in: 3, out: 3, weight: features.0}\n"
      "  - {conv: b, in: 3, out: 3, weight: features.1}\n"
      "  - {conv: c, in: 3, out: 3, weight: features.2}\n",
      ignore);
  file.put_torch();
  file.import_mine();
  CHECK(file.imported("features.1") == file.values("features.1.weight"));
  CHECK(file.imported("b.bias") == file.values("features.1.bias"));
}

TEST_CASE("nobody asks for tensors that the network's file does not name") {
  Functional file;
  file.put_network(
      "  - {conv: a, in: 3, out: 3, weight: features.0.weight}\n  - {conv: b, in: 3, out: 3, weight: "
      "there.weight}\n",
      ignore);
  file.put_torch();
  const std::string message = file.refused_mine();
  CHECK(contains(message, "'there.weight' (for b) is missing"));
  CHECK_FALSE(contains(message, "'features.2.weight' (for"));
}

TEST_CASE("module. is seen through anywhere, in the file's names and in the user's") {
  for (const char* written :
       {"net.first.weight", "net.module.first.weight", "module.net.module.first.weight"}) {
    MadeFile file;
    file.add("module.net.module.first.weight", {4, 3, 3, 3});
    file.add("module.net.module.first.bias", {4});
    file.put_network(std::string("  - {conv: a, in: 3, out: 4, weight: ") + written + "}\n");
    file.put_torch();
    file.import_mine();
    CHECK(file.imported("a.bias") == file.values("module.net.module.first.bias"));
  }
}

TEST_CASE("names that a prefix stands before are found, when only one does") {
  MadeFile file;
  for (const char* prefix : {"vgg.", "other."}) {
    file.add(std::string(prefix) + "first.weight", {4, 3, 3, 3});
    file.add(std::string(prefix) + "first.bias", {4});
  }
  file.put_network("  - {conv: a, in: 3, out: 4, weight: first.weight}\n");
  file.put_torch();
  const std::string message = file.refused_mine();
  CHECK(contains(message, "several sets of its tensors fit"));
  CHECK(contains(message, "--prefix other. for mine"));
  CHECK(contains(message, "--prefix vgg. for mine"));
  CHECK(file.import_mine("vgg").prefix == "vgg. (as you said)");
  CHECK(file.imported("a.bias") == file.values("vgg.first.bias"));
  file.import_mine("other.");
  CHECK(file.imported("a.bias") == file.values("other.first.bias"));
}

TEST_CASE("Keras's counted layers can be mapped, in its old files and its new ones") {
  for (const char* kernel :
       {"conv2d_1/conv2d_1/kernel:0", "layers/conv2d_1/vars/0", "model_weights/conv2d_1/conv2d_1/kernel:0"}) {
    MadeFile file;
    const std::string name = kernel;
    const std::string bias = name.ends_with("vars/0") ? name.substr(0, name.size() - 1) + "1"
                                                      : name.substr(0, name.size() - 8) + "bias:0";
    file.add(name, {3, 3, 3, 4});
    file.add(bias, {4});
    file.put_network("  - {conv: conv2d_1, in: 3, out: 4, weight: " + name + "}\n");
    file.put_hdf5();
    file.import_mine();
    CHECK(file.imported("conv2d_1.bias") == file.values(bias));
  }
}

TEST_CASE("the activation of conv2d_1 is conv2d_1_relu") {
  MadeFile file;
  file.put_network(
      "  - {conv: conv2d_1, in: 3, out: 4}\n  - {conv: conv1_2, in: 4, out: 4}\n  - {conv: conv0, in: 4, "
      "out: 4}\n");
  Diagnostics diagnostics;
  const auto network = load_network("mine.yaml", file.folder.path(), file.paths, {}, diagnostics);
  REQUIRE(network);
  CHECK(network->layer_names() ==
        std::vector<std::string>{"conv2d_1", "conv2d_1_relu", "conv1_2", "relu1_2", "conv0", "conv0_relu"});
}
