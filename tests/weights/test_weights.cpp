// Finding, checking and reading the weights of a network.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "framework/base/error.h"
#include "nodes/networks/convention_text.h"
#include "nodes/networks/weights.h"
#include "nodes/weights/safetensors.h"
#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

struct Small {
  TemporaryFolder folder;
  std::shared_ptr<const Network> network = network_of(small_network_yaml(), folder.path());
  std::string file = folder / "small.safetensors";
  std::vector<SafetensorsEntry> entries = {{"conv1_1.weight", {4, 3, 3, 3}, std::vector<float>(108, 1)},
                                           {"conv1_1.bias", {4}, std::vector<float>(4, 2)},
                                           {"conv2_1.weight", {5, 4, 3, 3}, std::vector<float>(180, 3)},
                                           {"conv2_1.bias", {5}, std::vector<float>(5, 4)}};
  void write(const std::map<std::string, std::string>& metadata = {}) {
    write_safetensors(file, entries, metadata);
  }
  std::string refused() {
    return message_of<RunError>([&] { check_weights(*network, file); });
  }
};

}  // namespace

TEST_CASE("weights are read by layer") {
  Small small;
  small.write();
  const auto weights = load_weights(*small.network, small.file);
  CHECK(weights->file == small.file);
  CHECK(weights->convolutions.size() == 2);
  CHECK(weights->convolutions.at("conv1_1").weights == small.entries[0].values);
  CHECK(weights->convolutions.at("conv2_1").bias == small.entries[3].values);
}

TEST_CASE("only the layers that are needed are read") {
  Small small;
  small.entries[2].values[7] = NAN;
  small.write();
  CHECK(load_weights(*small.network, small.file, "pool1")->convolutions.size() == 1);
  CHECK(message_of<RunError>([&] { load_weights(*small.network, small.file); }) != "");
}

TEST_CASE("weights that come with gramflow are trained and complete") {
  Diagnostics diagnostics;
  const NetworkPaths paths{{std::string(GRAMFLOW_SOURCE_DIR) + "/configs/networks"}, {}, ""};
  const auto network = load_network("vgg19-mini", ".", paths, {}, diagnostics);
  REQUIRE(network);
  const std::string file = locate_weights(*network, paths);
  check_weights(*network, file);
  const auto weights = load_weights(*network, file);
  CHECK(weights->convolutions.size() == 13);
  CHECK(weights->convolutions.at("conv5_1").weights.size() == 128 * 128 * 9);
}

TEST_CASE("a missing tensor lists what is there") {
  Small small;
  small.entries.pop_back();
  small.write();
  const std::string message = small.refused();
  CHECK(message.starts_with(small.file));
  CHECK(contains(message, "layer 'conv2_1' needs a tensor 'conv2_1.bias', which is not there"));
  CHECK(contains(message, "did you mean 'conv1_1.bias'?"));
  CHECK(contains(message, "the file has conv1_1.bias, conv1_1.weight, conv2_1.weight"));
}

TEST_CASE("a wrong shape names both") {
  Small small;
  small.entries[2].shape = {4, 5, 3, 3};
  small.write();
  CHECK(contains(small.refused(),
                 "tensor 'conv2_1.weight' has the shape [4, 5, 3, 3]; layer 'conv2_1' needs [5, 4, 3, 3]"));
}

TEST_CASE("weights of another network are refused, unless the network says that it means them") {
  Small small;
  small.write({{"network", "other"}});
  CHECK(contains(small.refused(), "these are weights of the network 'other'"));
  std::string yaml = small_network_yaml();
  yaml.replace(yaml.find("small.safetensors"), 17, "small.safetensors, network: other");
  check_weights(*network_of(yaml, small.folder.path()), small.file);
}

TEST_CASE("weights that want another input are refused") {
  Small small;
  small.write({{"convention", convention_text(caffe_convention())}});
  const std::string message = small.refused();
  CHECK(contains(message, "the weights: bgr x 255, mean 123.68 116.779 103.939, std 1 1 1"));
  CHECK(contains(message, "network 'small': rgb x 1, mean 0.5 0.5 0.5, std 1 1 1"));
  small.write({{"convention", convention_text(small.network->input)}});
  CHECK(small.refused() == "");
  small.write({{"convention", "as usual"}});
  CHECK(contains(small.refused(), "cannot be understood: as usual"));
}

TEST_CASE("conventions read back exactly") {
  for (const InputConvention& convention : {torchvision_convention(), caffe_convention()})
    CHECK(parse_convention(convention_text(convention)) == convention);
  const InputConvention odd{ChannelOrder::bgr, 1.0 / 3, {0.1, 1e-7, -3}, {1e20, 2, 0.3}};
  CHECK(parse_convention(convention_text(odd)) == odd);
  for (const char* wrong : {"", "rgb", "rgb x 1, mean 1 2, std 1 1 1", "rgb x 0, mean 0 0 0, std 1 1 1",
                            "rgb x 1, mean 0 0 0, std 1 0 1", "rgb x 1, mean 0 0 0, std 1 1 1 1",
                            "grb x 1, mean 0 0 0, std 1 1 1"})
    CHECK_FALSE(parse_convention(wrong));
}

TEST_CASE("weights are looked for beside the network, then in the folders") {
  Small small;
  std::filesystem::create_directory(small.folder / "cache");
  const NetworkPaths paths{{}, {small.folder / "cache"}, small.folder / "cache"};
  put_weights(*small.network, small.folder / "cache/small.safetensors");
  CHECK(locate_weights(*small.network, paths) == small.folder / "cache/small.safetensors");
  small.write();
  CHECK(locate_weights(*small.network, paths) == small.file);
}

TEST_CASE("missing weights name the file, every place looked in and what to do") {
  Small small;
  const NetworkPaths paths{{}, {"/a", "/b/cache"}, "/b/cache"};
  const auto looking = [&] { locate_weights(*small.network, paths); };
  std::string message = message_of<MissingResource>(looking);
  CHECK(contains(message, "the weights of network 'small' are missing: small.safetensors"));
  CHECK(contains(message, "looked for " + small.file));
  CHECK(contains(message, "looked for /a/small.safetensors"));
  CHECK(contains(message, "gramflow weights import FILE -o /b/cache/small.safetensors"));
  CHECK(contains(message, "GRAMFLOW_PATH"));
  CHECK_FALSE(contains(message, "weights get"));
  std::string yaml = small_network_yaml();
  yaml.replace(yaml.find("small.safetensors"), 17,
               "small.safetensors, downloads: [{url: 'https://a/b', sha256_prefix: '01234567'}]");
  small.network = network_of(yaml, small.folder.path());
  CHECK(contains(message_of<MissingResource>(looking), "gramflow weights get small"));
}

namespace {

/// A 1x1 convolution of one output on a pixel.
double on_pixel(const ConvolutionWeights& numbers, const std::array<double, 3>& pixel) {
  double sum = numbers.bias[0];
  for (std::size_t c = 0; c < 3; ++c) sum += numbers.weights[c] * pixel[c];
  return sum;
}

/// A picture's pixel as a network with this input sees it.
std::array<double, 3> seen(const std::array<double, 3>& rgb, const InputConvention& input) {
  std::array<double, 3> result;
  for (std::size_t c = 0; c < 3; ++c)
    result[input.order == ChannelOrder::rgb ? c : 2 - c] =
        (rgb[c] * input.scale - input.mean[c]) / input.std[c];
  return result;
}

}  // namespace

TEST_CASE("weights made for another input compute the same from the network's") {
  const TemporaryFolder folder;
  const auto network = network_of(
      "name: x\ninput: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}\n"
      "weights: {file: x.safetensors, input: {order: bgr, scale: 255, mean: [123.68, 116.779, 103.939]}}\n"
      "layers: [{conv: conv0, in: 3, out: 1, kernel: 1}]\n",
      folder.path());
  const ConvolutionWeights original{{0.5F, -0.25F, 0.125F}, {2}};
  write_safetensors(folder / "x.safetensors",
                    {{"conv0.weight", {1, 3, 1, 1}, original.weights}, {"conv0.bias", {1}, original.bias}},
                    {{"convention", convention_text(caffe_convention())}});
  check_weights(*network, folder / "x.safetensors");
  const auto folded = load_weights(*network, folder / "x.safetensors")->convolutions.at("conv0");
  const std::array<double, 3> rgb = {0.9, 0.2, 0.4};
  CHECK(on_pixel(folded, seen(rgb, torchvision_convention())) ==
        doctest::Approx(on_pixel(original, seen(rgb, caffe_convention()))).epsilon(1e-6));
}

TEST_CASE("another input cannot be made up for at a border of zeros") {
  const std::string yaml =
      "name: x\ninput: {mean: [0, 0, 0]}\nweights: {file: x, input: {scale: 255, mean: [0, 0, 0]}}\n"
      "layers: [{conv: conv1_1, in: 3, out: 1}]\n";
  CHECK(
      contains(mistakes_of(yaml), "'weights.input' needs a first convolution that does not pad with zeros"));
  CHECK(mistakes_of("padding: reflect\n" + yaml) == "");
}

TEST_CASE("a gain makes one layer's outputs larger and leaves those behind it alone") {
  Small small;
  small.write();
  std::string yaml = small_network_yaml();
  yaml.replace(yaml.find("out: 4"), 6, "out: 4, gain: 0.25");
  const auto weights = load_weights(*network_of(yaml, small.folder.path()), small.file);
  const ConvolutionWeights& first = weights->convolutions.at("conv1_1");
  const ConvolutionWeights& second = weights->convolutions.at("conv2_1");
  CHECK(first.weights == std::vector<float>(108, 0.25F));
  CHECK(first.bias == std::vector<float>(4, 0.5F));
  CHECK(second.weights == std::vector<float>(180, 12));  // takes a quarter of what it took
  CHECK(second.bias == std::vector<float>(5, 4));
  yaml.replace(yaml.find("0.25"), 4, "-1  ");
  CHECK(contains(mistakes_of(yaml), "> 0"));
}

TEST_CASE("random weights depend on the seed only, and keep the size of what passes through") {
  Small small;
  const auto first = random_weights(*small.network, 1)->convolutions.at("conv2_1");
  CHECK(first.weights == random_weights(*small.network, 1)->convolutions.at("conv2_1").weights);
  CHECK(first.weights != random_weights(*small.network, 2)->convolutions.at("conv2_1").weights);
  double squares = 0;
  for (const float value : first.weights) squares += static_cast<double>(value) * value;
  CHECK(squares / 180 == doctest::Approx(2.0 / (4 * 9)).epsilon(0.25));  // Kaiming: variance 2 / fan-in
}
