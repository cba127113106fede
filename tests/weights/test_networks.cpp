// A network is data: what its YAML may say, and what is answered to mistakes.
#include <doctest/doctest.h>

#include <cstdlib>

#include "nodes/networks/network.h"
#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// A network file with these layers.
std::string with_layers(const std::string& layers) {
  return "name: x\ninput: {mean: [0, 0, 0]}\nweights: {file: x.safetensors}\nlayers:\n" + layers;
}
std::string with_weights(const std::string& weights) {
  return "name: x\ninput: {mean: [0, 0, 0]}\nweights: " + weights +
         "\nlayers: [{conv: conv1_1, in: 3, out: 4}]\n";
}
std::string with_input(const std::string& input) {
  return "name: x\ninput: " + input + "\nweights: {file: x}\nlayers: [{conv: conv1_1, in: 3, out: 4}]\n";
}

std::shared_ptr<const Network> shipped(const std::string& name) {
  Diagnostics diagnostics;
  const NetworkPaths paths{{std::string(GRAMFLOW_SOURCE_DIR) + "/configs/networks"}, {}, ""};
  auto network = load_network(name, ".", paths, {}, diagnostics);
  INFO(diagnostics.render());
  REQUIRE(network);
  return network;
}

int convolutions(const Network& network) {
  int count = 0;
  for (const NetworkLayer& layer : network.layers)
    count += layer.kind == NetworkLayer::Kind::convolution ? 1 : 0;
  return count;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Sets an environment variable while it lives; nullptr removes it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  ~Variable() { set(old_ ? old_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) { value != nullptr ? ::setenv(name_, value, 1) : ::unsetenv(name_); }
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("every shipped network can be read, under its own name") {
  const NetworkPaths paths{{std::string(GRAMFLOW_SOURCE_DIR) + "/configs/networks"}, {}, ""};
  const auto names = shipped_networks(paths);
  CHECK(names == std::vector<std::string>{"vgg16", "vgg16-caffe", "vgg19", "vgg19-caffe",
                                          "vgg19-distilled16x", "vgg19-mini", "vgg19-small"});
  for (const std::string& name : names) {
    CHECK(shipped(name)->name == name);
    CHECK_FALSE(shipped(name)->summary.empty());
  }
}

TEST_CASE("the VGGs have their layers") {
  CHECK(convolutions(*shipped("vgg19")) == 16);
  CHECK(convolutions(*shipped("vgg16")) == 13);
  CHECK(convolutions(*shipped("vgg19-mini")) == 13);
  CHECK(convolutions(*shipped("vgg19-small")) == 13);
  const auto names = shipped("vgg16")->layer_names();
  CHECK(std::vector<std::string>(names.begin(), names.begin() + 6) ==
        std::vector<std::string>{"conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1"});
  CHECK(names.back() == "pool5");
}

TEST_CASE("the Caffe networks want BGR of 0 to 255 minus the mean") {
  const auto network = shipped("vgg19-caffe");
  CHECK(network->input.order == ChannelOrder::bgr);
  CHECK(network->input.scale == 255);
  CHECK(network->input.mean == std::array<double, 3>{123.68, 116.779, 103.939});
  CHECK(network->input.std == std::array<double, 3>{1, 1, 1});
}

TEST_CASE("a first layer without a ReLU, and another border") {
  const auto network = shipped("vgg19-distilled16x");
  CHECK(network->border == Border::reflect);
  CHECK(network->layers[0].name == "conv0");
  CHECK(network->layers[0].kernel == 1);
  CHECK(network->layers[0].padding == 0);
  CHECK(network->layers[1].name == "conv1_1");
  CHECK(network->find("relu0") == -1);
}

TEST_CASE("tensor names, kernels, paddings and pools are as the layer says") {
  const TemporaryFolder folder;
  const auto network =
      network_of(with_layers("  - {conv: stem, in: 3, out: 8, kernel: 5, weight: a.w, bias: a.b}\n"
                             "  - {pool: p, kind: average}\n"
                             "  - {conv: conv2_1, in: 8, out: 2, padding: 0}\n"),
                 folder.path());
  CHECK(network->layer_names() == std::vector<std::string>{"stem", "stem_relu", "p", "conv2_1", "relu2_1"});
  CHECK(network->layers[0].padding == 2);
  CHECK(network->layers[0].weight_tensor == "a.w");
  CHECK(network->layers[0].bias_tensor == "a.b");
  CHECK(network->layers[2].pool == PoolKind::average);
  CHECK(network->layers[3].padding == 0);
  CHECK(network->layers[3].weight_tensor == "conv2_1.weight");
}

TEST_CASE("every mistake is told at once, each at its place") {
  const std::string mistakes = mistakes_of(
      "name: x\ncolour: red\ninput: {mean: [0, 0], std: [1, 0, 1]}\npadding: mirror\nweights: {}\nlayers:\n"
      "  - {conv: conv1_1, in: 4, out: 8}\n"
      "  - {conv: conv1_1, in: 9, out: 8, kernel: 2}\n"
      "  - {pool: pool1, kind: median}\n");
  CHECK(contains(mistakes, "network.yaml:2:1: error:"));
  CHECK(contains(mistakes, "'colour'"));
  CHECK(contains(mistakes,
                 "network.yaml:3:15: error: 'input.mean' takes three numbers (red, green, blue), found 2"));
  CHECK(contains(mistakes, "'input.std' must not be 0"));
  CHECK(contains(mistakes, "network.yaml:4:10: error:"));
  CHECK(contains(mistakes, "'weights.file'"));
  CHECK(contains(mistakes,
                 "network.yaml:7:25: error: 'conv1_1' takes 4 channels, but 3 come out of a picture"));
  CHECK(contains(mistakes,
                 "network.yaml:8:25: error: 'conv1_1' takes 9 channels, but 8 come out of 'conv1_1'"));
  CHECK(contains(mistakes, "there are two layers named 'conv1_1'"));
  CHECK(contains(mistakes, "the kernel of 'conv1_1' must be odd, found 2"));
  CHECK(contains(mistakes, "median"));
}

TEST_CASE("a layer is a convolution or a pool") {
  CHECK(contains(mistakes_of(with_layers("  - {in: 3, out: 4}\n")), "either a 'conv' or a 'pool'"));
  CHECK(contains(mistakes_of(with_layers("  - {conv: a, pool: b}\n")), "either a 'conv' or a 'pool'"));
  CHECK(contains(mistakes_of(with_layers("  - {pool: a, in: 3}\n")),
                 "a pool has no 'in'; it belongs to a convolution"));
  CHECK(contains(mistakes_of(with_layers("  - {conv: a, in: 3, out: 4, kind: max}\n")),
                 "a conv has no 'kind'"));
  CHECK(contains(mistakes_of(with_layers("  - conv1_1\n")), "conv1_1"));
}

TEST_CASE("a convolution without channels, or with impossible ones") {
  CHECK(contains(mistakes_of(with_layers("  - {conv: a, in: 3}\n")), "convolution 'a' has no 'out'"));
  CHECK(contains(mistakes_of(with_layers("  - {conv: a, out: 3}\n")), "convolution 'a' has no 'in'"));
  CHECK(contains(mistakes_of(with_layers("  - {conv: a, in: 0, out: 3}\n")), ">= 1"));
  CHECK(contains(mistakes_of(with_layers("  - {conv: a, in: 3, out: 4, padding: 3}\n")),
                 "less than its kernel of 3"));
}

TEST_CASE("a name twice is told once, at the second, with the first") {
  const std::string mistakes =
      mistakes_of(with_layers("  - {conv: conv1_1, in: 3, out: 3}\n  - {conv: conv1_1, in: 3, out: 3}\n"));
  CHECK(count_of(mistakes, "error:") == 1);
  CHECK(contains(mistakes, "network.yaml:6:12: error: there are two layers named 'conv1_1'"));
  CHECK(contains(mistakes, "network.yaml:5:12: note: the first one"));
}

TEST_CASE("one wrong channel count is told once, not at every layer after it") {
  const std::string mistakes =
      mistakes_of(with_layers("  - {conv: a, in: 3}\n  - {conv: b, in: 4, out: 4}\n"));
  CHECK(count_of(mistakes, "error:") == 1);
}

TEST_CASE("the input convention") {
  CHECK(contains(mistakes_of(with_input("{}")), "mean"));
  CHECK(contains(mistakes_of(with_input("{mean: [0, 0, 0], scale: 0}")), "> 0"));
  CHECK(contains(mistakes_of(with_input("{mean: 5}")), "mean"));
  CHECK(contains(mistakes_of(with_input("{mean: [0, 0, 0], order: grb}")), "grb"));
}

TEST_CASE("a download without a usable checksum is refused") {
  const auto mistakes = [](const std::string& keys) {
    return mistakes_of(with_weights("{file: x, downloads: [{url: 'https://a/b'" + keys + "}]}"));
  };
  CHECK(contains(mistakes(""), "a download needs a checksum"));
  CHECK(contains(mistakes(", sha256_prefix: '1234567'"), "at least 8 digits"));
  CHECK(contains(mistakes(", md5: 'abc'"), "'md5' takes 32 digits"));
  CHECK(contains(mistakes(", sha256_prefix: '1234567g'"), "'sha256_prefix' takes up to 64 digits"));
  CHECK(mistakes(", sha256_prefix: '1234567a'") == "");
}

TEST_CASE("files that are no network") {
  CHECK(contains(mistakes_of("- a\n- b\n"), "it is no network file"));
  CHECK(mistakes_of("") != "");
  CHECK(contains(mistakes_of("name: [\n"), "error:"));
  CHECK(contains(mistakes_of(with_layers("  []\n")), "layers"));
}

TEST_CASE("an unknown name is answered with the nearest and the folders looked in") {
  const TemporaryFolder folder;
  put_bytes(folder / "vgg19-mini.yaml", small_network_yaml());
  Diagnostics diagnostics;
  CHECK(load_network("vgg19-mni", ".", {{folder.path()}, {}, ""}, {}, diagnostics) == nullptr);
  CHECK(contains(diagnostics.render(), "there is no network 'vgg19-mni'"));
  CHECK(diagnostics.all()[0].suggestion == "did you mean 'vgg19-mini'?");
  CHECK(diagnostics.all()[0].notes.at(0).message == "looked in " + folder.path());
}

TEST_CASE("an unknown path is answered with the places looked in") {
  Diagnostics diagnostics;
  CHECK(load_network("nets/a.yaml", "/nowhere", {}, {}, diagnostics) == nullptr);
  CHECK(diagnostics.all()[0].notes.at(0).message == "looked for /nowhere/nets/a.yaml");
}

TEST_CASE("folders of GRAMFLOW_PATH come first, the user's cache last") {
  const Variable path("GRAMFLOW_PATH", "/first:/second");
  const Variable cache("XDG_CACHE_HOME", "/the/cache");
  const NetworkPaths paths = NetworkPaths::standard();
  CHECK(paths.network_folders.at(0) == "/first");
  CHECK(paths.network_folders.at(1) == "/second");
  CHECK(paths.network_folders.at(2) == std::string(GRAMFLOW_SOURCE_DIR) + "/configs/networks");
  CHECK(paths.weight_folders.at(0) == "/first");
  CHECK(paths.weight_folders.back() == "/the/cache/gramflow");
  CHECK(paths.cache_folder == "/the/cache/gramflow");
}

TEST_CASE("without XDG_CACHE_HOME the cache is in the home folder; without a home there is none") {
  const Variable cache("XDG_CACHE_HOME", nullptr);
  {
    const Variable home("HOME", "/home/somebody");
    CHECK(NetworkPaths::standard().cache_folder == "/home/somebody/.cache/gramflow");
  }
  const Variable home("HOME", nullptr);
  CHECK(NetworkPaths::standard().cache_folder == "");
}
