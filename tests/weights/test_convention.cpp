// Caffe's weights go round under torchvision's names. The right convention is known by a checksum, or asked
// for; the numbers of the first kernels confirm or ask, and never decide.
#include <doctest/doctest.h>

#include "framework/base/error.h"
#include "nodes/import/choose_convention.h"
#include "nodes/networks/convention_text.h"
#include "nodes/weights/checksum.h"
#include "nodes/weights/safetensors.h"
#include "tests/weights/made_file.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// First kernels of a network of 64 filters, weakest in channel `weakest` (blue), this strong.
std::vector<float> kernels(std::size_t weakest, float strength = 0.2F) {
  MadeFile file;
  file.add("w", {64, 3, 3, 3});
  std::vector<float> values = file.values("w");
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] *= strength * (i / 9 % 3 == weakest ? 1.0F : i / 9 % 3 == 1 ? 1.6F : 1.4F);
  return values;
}

constexpr const char* layers = "  - {conv: conv1_1, in: 3, out: 64}\n";

/// torchvision's names, and networks of both conventions to choose from.
struct Listed : MadeFile {
  explicit Listed(const std::vector<float>& first, const std::string& name = "in") {
    file = folder / name;
    add("features.0.weight", {64, 3, 3, 3}, first);
    add("features.0.bias", {64});
    put_torch();
    put_bytes(folder / "rgb.yaml",
              std::string("name: rgb\ninput: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, "
                          "0.225]}\nweights: {file: rgb.safetensors}\nlayers:\n") +
                  layers);
    put_bytes(folder / "bgr.yaml",
              std::string("name: bgr\ninput: {order: bgr, scale: 255, mean: [123.68, 116.779, "
                          "103.939]}\nweights: {file: bgr.safetensors}\nlayers:\n") +
                  layers);
  }
};

}  // namespace

TEST_CASE("torchvision's names with numbers that agree, or say nothing") {
  CHECK(Listed(kernels(2)).import().network == "rgb");
  CHECK(Listed(kernels(1)).import().network == "rgb");
}

TEST_CASE("torchvision's names with kernels that look like BGR, or like 0 to 255, are a question") {
  const Listed file(kernels(0));
  const std::string message = file.refused();
  CHECK(contains(message, "look as if their channels were blue, green and red, as Caffe's"));
  CHECK(contains(message, "say --convention"));
  CHECK(contains(Listed(kernels(2, 0.004F)).refused(), "as small as those for pictures of 0 to 255"));
  ImportOptions options;
  options.convention = "caffe";
  CHECK(file.import(options).network == "bgr");
  options.convention = "torchvision";
  CHECK(file.import(options).network == "rgb");
}

TEST_CASE("a file's name that says Caffe is a question, too") {
  for (const char* name : {"vgg19-d01eb7cb.pth", "vgg16-00b39a1b.pth", "vgg19_caffe.pth"})
    CHECK(contains(Listed(kernels(1), name).refused(), "its name says"));
}

TEST_CASE("Keras's names with kernels that look like RGB are a question") {
  MadeFile file;
  file.add("block1_conv1/block1_conv1/kernel:0", {3, 3, 3, 64},
           reordered(kernels(2), 64, 3, 3, "hwio", false));
  file.add("block1_conv1/block1_conv1/bias:0", {64});
  file.put_hdf5();
  file.put_network(layers);
  CHECK(contains(file.refused(), "look as if their channels were red, green and blue"));
}

TEST_CASE("the checksums of the files that are known decide") {
  struct NoSource final : TensorSource {
    SourceFormat format() const override { return SourceFormat::pytorch; }
    std::string format_text() const override { return ""; }
    const std::vector<SourceTensor>& tensors() const override { return none; }
    std::vector<std::vector<float>> read(const std::vector<std::size_t>&) const override { return {}; }
    std::vector<SourceTensor> none;
  } source;
  const auto chosen = [&](const std::string& sha256) {
    ImportOptions options;
    options.file = "vgg19.pth";
    return choose_convention(options, source, {Naming::torchvision, ""}, {sha256, ""}, kernels(0), 64);
  };
  CHECK(chosen("d01eb7cb" + std::string(56, '0')).known == caffe_convention());
  CHECK(chosen("00b39a1b" + std::string(56, '0')).known == caffe_convention());
  CHECK(chosen("dcbb9e9d" + std::string(56, '0')).known == torchvision_convention());
  CHECK(contains(chosen("d01eb7cb").reason, "by its checksum it is Caffe's VGG-19"));
  CHECK(message_of<RunError>([&] { chosen("12345678"); }) != "");
}

TEST_CASE("weights of the same input in another order of channels are changed exactly") {
  InputConvention rgb = caffe_convention();
  rgb.order = ChannelOrder::rgb;
  MadeFile file;
  const std::vector<float> first = kernels(2);
  write_safetensors(
      file.file, {{"conv1_1.weight", {64, 3, 3, 3}, first}, {"conv1_1.bias", {64}, std::vector<float>(64)}},
      {{"convention", convention_text(rgb)}});
  put_bytes(file.folder / "bgr.yaml",
            std::string("name: bgr\ninput: {order: bgr, scale: 255, mean: [123.68, 116.779, "
                        "103.939]}\nweights: {file: x}\nlayers:\n") +
                layers);
  const ImportReport report = file.import();
  CHECK(report.network == "bgr");
  CHECK(contains(report.convention, "the first convolution was changed for it"));
  const std::vector<float> found = file.imported("conv1_1.weight");
  for (std::size_t p = 0; p < 9; ++p) {
    CHECK(found[p] == first[18 + p]);
    CHECK(found[9 + p] == first[9 + p]);
    CHECK(found[18 + p] == first[p]);
  }
}

TEST_CASE("other scales are changed when both subtract the same colour, and only then") {
  InputConvention from{ChannelOrder::rgb, 255, {127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}};
  InputConvention to{ChannelOrder::bgr, 1, {0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}};
  const auto change = exact_change(from, to);
  REQUIRE(change);
  CHECK((*change)[0] == doctest::Approx(0.5));
  to.mean[1] = 0.45;
  CHECK_FALSE(exact_change(from, to));
}

TEST_CASE("means that are probably not meant are warned about at their line") {
  const auto warnings = [](const std::string& input) {
    const TemporaryFolder folder;
    put_bytes(folder / "n.yaml",
              "name: x\ninput: " + input + "\nweights: {file: x}\nlayers: [{conv: a, in: 3, out: 4}]\n");
    Diagnostics diagnostics;
    CHECK(load_network("n.yaml", folder.path(), {}, {}, diagnostics));
    return diagnostics.render();
  };
  CHECK(contains(warnings("{mean: [123.68, 116.779, 103.939]}"),
                 "n.yaml:2:15: warning: a mean outside of 0 to 1"));
  CHECK(contains(warnings("{mean: [-0.1, 0.4, 0.4]}"), "a mean outside of 0 to 1"));
  CHECK(contains(warnings("{scale: 255, mean: [0.485, 0.456, 0.406]}"), "a mean of nearly 0"));
  CHECK(contains(warnings("{order: bgr, scale: 255, mean: [103.939, 116.779, 123.68]}"), "blue, green, red"));
  CHECK(warnings("{order: bgr, scale: 255, mean: [123.68, 116.779, 103.939]}") == "");
  CHECK(warnings("{mean: [0, 0, 0]}") == "");
  CHECK(warnings("{scale: 255, mean: [0, 0, 0]}") == "");
}
