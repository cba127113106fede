// Weights of every kind become the same file; what does not fit is refused with everything that is wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"
#include "nodes/import/import_weights.h"
#include "nodes/networks/convention_text.h"
#include "nodes/networks/weights.h"
#include "nodes/weights/checksum.h"
#include "nodes/weights/safetensors.h"
#include "tests/weights/small_vgg.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

struct Import : SmallVgg {
  std::string file = folder / "in";
  std::string out = folder / "out.safetensors";
  ImportReport run(ImportOptions options = {}) {
    options.file = file;
    options.output = out;
    return import_weights(options, paths);
  }
  std::string refused(const ImportOptions& options = {}) {
    const std::string message = message_of<RunError>([&] { run(options); });
    CHECK_FALSE(message.empty());
    CHECK(get_bytes(out).empty());  // nothing was written
    return message;
  }
  std::map<std::string, std::string> metadata() const { return SafetensorsFile(out).metadata(); }
};

ImportOptions network(const std::string& name) {
  ImportOptions options;
  options.network = name;
  return options;
}
ImportOptions convention(const std::string& name, const std::string& of = "") {
  ImportOptions options = network(of);
  options.convention = name;
  return options;
}

}  // namespace

TEST_CASE("a PyTorch state dict becomes torchvision's network, and says all about itself") {
  Import import;
  put_bytes(import.file, import.torch_file());
  const ImportReport report = import.run();
  CHECK(import.is_in(import.out));
  CHECK(report.network == "small");
  CHECK(report.format == "a PyTorch state dict (ZIP format) with torchvision's names (features.0.weight)");
  CHECK(report.ignored == std::vector<std::string>{"classifier.0.weight"});
  CHECK(import.metadata().at("network") == "small");
  CHECK(import.metadata().at("convention") == convention_text(torchvision_convention()));
  CHECK(import.metadata().at("source") == "in");
  CHECK(import.metadata().at("source_sha256") == file_checksums(import.file).sha256);
  CHECK(import.metadata().at("converter").starts_with("gramflow "));
}

TEST_CASE("the legacy format gives the same file") {
  Import import;
  put_bytes(import.file, import.torch_legacy_file());
  import.run();
  CHECK(import.is_in(import.out));
}

TEST_CASE("prefixes of training scripts are seen through") {
  for (const char* prefix : {"module.", "state_dict.module.", "model."}) {
    Import import;
    put_bytes(import.file, import.torch_file(prefix));
    import.run();
    CHECK(import.is_in(import.out));
  }
}

TEST_CASE("a Keras file is turned to OIHW and becomes Caffe's network") {
  Import import;
  import.put_keras_file(import.file);
  const ImportReport report = import.run();
  CHECK(import.is_in(import.out));
  CHECK(report.network == "small-caffe");
  CHECK(report.ignored == std::vector<std::string>{"fc1/fc1_W_1:0"});
  CHECK(import.metadata().at("convention") == convention_text(caffe_convention()));
}

TEST_CASE("a safetensors file with torchvision's names") {
  Import import;
  import.put_safetensors_file(import.file, "features.0", "features.3");
  CHECK(import.run().network == "small");
  CHECK(import.is_in(import.out));
}

TEST_CASE("what was imported is accepted by its network and refused by the other") {
  Import import;
  import.put_keras_file(import.file);
  import.run();
  Diagnostics diagnostics;
  check_weights(*load_network("small-caffe", ".", import.paths, {}, diagnostics), import.out);
  const auto other = load_network("small", ".", import.paths, {}, diagnostics);
  CHECK(contains(message_of<RunError>([&] { check_weights(*other, import.out); }),
                 "weights of the network 'small-caffe'"));
}

TEST_CASE("half precision on request") {
  Import import;
  put_bytes(import.file, import.torch_file());
  ImportOptions options;
  options.half = true;
  import.run(options);
  CHECK(SafetensorsFile(import.out).tensors().at("conv1_1.weight").type == StoredType::f16);
  CHECK(import.is_in(import.out));  // these numbers fit
}

TEST_CASE("a convention is never guessed: plain names say nothing") {
  Import import;
  import.put_safetensors_file(import.file, "conv1_1", "conv2_1");
  CHECK(contains(import.refused(), "say --convention torchvision, caffe or network"));
  CHECK(import.run(convention("caffe")).network == "small-caffe");
  CHECK(import.run(convention("torchvision")).network == "small");
  CHECK(import.run(convention("network", "small-caffe")).network == "small-caffe");
}

TEST_CASE("an imported file can be imported again, by what it says of itself") {
  Import import;
  import.put_safetensors_file(import.file, "conv1_1", "conv2_1",
                              {{"network", "small-caffe"},
                               { "convention",
                                 convention_text(caffe_convention()) }});
  CHECK(import.run().network == "small-caffe");
}

TEST_CASE("a convention that contradicts the network's is refused, with the networks that would do") {
  Import import;
  import.put_keras_file(import.file);
  const std::string message = import.refused(network("small"));
  CHECK(contains(message, "its weights want another input than network 'small' gives"));
  CHECK(contains(message, "(as all VGGs of Keras)"));
  CHECK(contains(message, "networks with the weights' input: small-caffe"));
  CHECK(import.run(convention("network", "small")).network == "small");
}

TEST_CASE("all that is missing or misshapen is told, and what is there") {
  Import import;
  put_bytes(import.file,
            torch_zip(torch_pickle({torch_entry("features.0.weight", {4, 3, 5, 5}, "0"),
                                    torch_entry("features.3.weight", {5, 4, 3, 3}, "1")}),
                      {{"0", std::string(4 * 3 * 25 * 4, '\0')}, {"1", bytes_of(import.weight2)}}));
  const std::string message = import.refused(network("small"));
  CHECK(contains(message, "does not fit network 'small'"));
  CHECK(contains(message, "'features.0.weight' has the shape [4, 3, 5, 5], but conv1_1 needs [4, 3, 3, 3]"));
  CHECK(contains(message, "'features.0.bias' (for conv1_1) is missing"));
  CHECK(contains(message, "'features.3.bias' (for conv2_1) is missing"));
  CHECK(contains(message, "  features.3.weight F32 [5, 4, 3, 3]"));
}

TEST_CASE("a Keras file without a layer, or with Theano's order of dimensions") {
  Import import;
  put_keras(import.file, {{"block1_conv1/kernel:0", {4, 3, 3, 3}, import.weight1},
                          {"block1_conv1/bias:0", {4}, import.bias1}});
  const std::string message = import.refused();
  CHECK(contains(message,
                 "'block1_conv1/kernel:0' has the shape [4, 3, 3, 3], but conv1_1 needs [3, 3, 3, 4]"));
  CHECK(contains(message, "kernel of 'block2_conv1' (for conv2_1) is missing"));
}

TEST_CASE("names of no known kind are listed") {
  Import import;
  import.put_safetensors_file(import.file, "a", "b");
  const std::string message = import.refused();
  CHECK(contains(message, "its names are of no known kind"));
  CHECK(contains(message, "  a.weight F32 [4, 3, 3, 3]"));
}

TEST_CASE("names of any kind are mapped by a network file of one's own") {
  Import import;
  import.put_safetensors_file(import.file, "a", "b");
  put_bytes(import.folder / "mine.yaml",
            "name: mine\ninput: {mean: [0, 0, 0]}\nweights: {file: mine.safetensors}\nlayers:\n"
            "  - {conv: first, in: 3, out: 4, weight: a.weight, bias: a.bias}\n"
            "  - {conv: second, in: 4, out: 5, weight: b.weight, bias: b.bias}\n");
  CHECK(import.run(convention("network", import.folder / "mine.yaml")).network == "mine");
  CHECK(SafetensorsFile(import.out).read("a.weight") == import.weight1);
}

TEST_CASE("NaN weights are refused, with the place") {
  Import import;
  import.weight2[17] = NAN;
  put_bytes(import.file, import.torch_file());
  CHECK(contains(import.refused(), "tensor 'features.3.weight' holds nan at position 17"));
  Import keras;
  keras.bias1[1] = INFINITY;
  keras.put_keras_file(keras.file);
  CHECK(contains(keras.refused(), "tensor 'block1_conv1/block1_conv1_b_1:0' holds inf at position 1"));
}

TEST_CASE("batch norms are folded into the convolutions before them") {
  Import import;
  std::vector<TorchEntry> entries;
  NamedBytes storages;
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                       const std::vector<float>& values) {
    const std::string key = std::to_string(storages.size());
    entries.push_back(torch_entry(name, shape, key));
    storages.emplace_back(key, bytes_of(values));
  };
  const auto add_norm = [&](const std::string& name, std::int64_t count) {
    const auto each = [&](float value) { return std::vector<float>(static_cast<std::size_t>(count), value); };
    add(name + ".weight", {count}, each(3));
    add(name + ".bias", {count}, each(0.5F));
    add(name + ".running_mean", {count}, each(2));
    add(name + ".running_var", {count}, each(4));
  };
  add("features.0.weight", {4, 3, 3, 3}, import.weight1);
  add("features.0.bias", {4}, import.bias1);
  add_norm("features.1", 4);
  add("features.4.weight", {5, 4, 3, 3}, import.weight2);
  add("features.4.bias", {5}, import.bias2);
  add_norm("features.5", 5);
  put_bytes(import.file, torch_zip(torch_pickle(entries), storages));
  CHECK(import.run().folded_batch_norms == 2);
  const SafetensorsFile out(import.out);
  const double factor = 3 / std::sqrt(4 + 1e-5);
  CHECK(out.read("conv1_1.weight")[50] == doctest::Approx(import.weight1[50] * factor));
  CHECK(out.read("conv2_1.bias")[3] == doctest::Approx((import.bias2[3] - 2) * factor + 0.5));
}

TEST_CASE("weights that look untrained are imported with a warning") {
  Import import;
  Diagnostics diagnostics;
  put_weights(*load_network("small", ".", import.paths, {}, diagnostics), import.file);  // drawn at random
  const ImportReport report = import.run(convention("torchvision"));
  REQUIRE(report.warnings.size() == 1);
  CHECK(contains(report.warnings[0], "only 0 of 2 convolutions look trained"));
  CHECK(contains(report.text(), "warning: "));
}

TEST_CASE("the report says what was done") {
  Import import;
  import.put_keras_file(import.file);
  const std::string text = import.run().text();
  CHECK(contains(text, "a Keras HDF5 file"));
  CHECK(contains(text, "bgr x 255, mean 123.68 116.779 103.939, std 1 1 1 (as all VGGs of Keras)"));
  CHECK(contains(text, "fc1/fc1_W_1:0"));
  CHECK(contains(text, import.out));
}

TEST_CASE("checksums of known texts") {
  const TemporaryFolder folder;
  put_bytes(folder / "a", "abc");
  CHECK(file_checksums(folder / "a").sha256 ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(file_checksums(folder / "a").md5 == "900150983cd24fb0d6963f7d28e17f72");
  put_bytes(folder / "a", "");
  CHECK(file_checksums(folder / "a").sha256 ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(file_checksums(folder / "a").md5 == "d41d8cd98f00b204e9800998ecf8427e");
  put_bytes(folder / "a", std::string(1000000, 'a'));
  CHECK(file_checksums(folder / "a").sha256 ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK(file_checksums(folder / "a").md5 == "7707d6ae4e027c70eea2a935c2296f21");
}

TEST_CASE("half precision that changes how long a kernel is comes with a warning") {
  for (const float factor : {1.0F, 1e-8F}) {
    Import import;
    for (float& value : import.weight2) value *= factor;
    put_bytes(import.file, import.torch_file());
    ImportOptions options;
    options.half = true;
    const ImportReport report = import.run(options);
    const bool warned =
        std::any_of(report.warnings.begin(), report.warnings.end(), [](const std::string& text) {
          return contains(text, "--f16 changes how long kernels are") && contains(text, "conv2_1 by ");
        });
    CHECK(warned == (factor < 1));
  }
}

TEST_CASE("progress is told from nothing to all") {
  Import import;
  put_bytes(import.file, import.torch_file());
  std::uint64_t last = 0;
  std::uint64_t whole = 0;
  ImportOptions options;
  options.progress = [&](const std::string& what, std::uint64_t done, std::uint64_t total) {
    CHECK_FALSE(what.empty());
    CHECK(done <= total);
    last = done;
    whole = total;
  };
  import.run(options);
  CHECK(whole == (4 * 27 + 5 * 36) * sizeof(float));
  CHECK(last == whole);
}
