// Random networks like VGGs, saved in every format with every kind of names and orders: what is imported is
// what the format's own framework would compute, to 1e-6.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/weights/make_other.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

enum class Way {
  torch_listed,
  safetensors_listed,
  torch_named,
  keras_blocks,
  keras_counted,
  npz,
  npy,
  caffe,
  onnx,
  matlab
};

struct Convolution {
  std::string name;  // conv2_1
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool norm = false;
  bool bias = true;
  bool pool_before = false;
  MadeTensor weight;
  MadeTensor biases;
  std::vector<MadeTensor> norms;  // scale, shift, mean, variance
};

class Case {
 public:
  Case(unsigned seed, Way way) : generator_(seed), way_(way) { draw(); }

  void run() {
    save();
    ImportOptions options;
    options.network = made_.folder / "mine.yaml";
    options.convention = way_ == Way::matlab ? "matconvnet" : "network";
    made_.import(options);
    const double epsilon = is_keras() ? 1e-3 : 1e-5;
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      const Convolution& c = convolutions_[i];
      Folded right{as_double(c.weight.values), as_double(c.biases.values)};
      if (!c.bias) right.bias.assign(static_cast<std::size_t>(c.out), 0.0);
      if (c.norm)
        right = folded(c.weight.values, c.bias ? c.biases.values : std::vector<float>{}, c.norms[0].values,
                       c.norms[1].values, c.norms[2].values, c.norms[3].values, epsilon);
      if (way_ == Way::matlab && i == 0) exchange_channels(right.weight, c);
      INFO(c.name << ", norm " << c.norm << ", bias " << c.bias);
      CHECK(made_.error_of(weight_keys_[i], right.weight) < 1e-6);
      CHECK(made_.error_of(c.name + ".bias", right.bias) < 1e-6);
    }
  }

 private:
  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(generator_); }
  bool is_keras() const { return way_ == Way::keras_blocks || way_ == Way::keras_counted; }
  bool can_norm() const { return way_ != Way::matlab && way_ != Way::npz && way_ != Way::npy; }

  MadeTensor tensor(const std::vector<std::int64_t>& shape, bool positive = false) {
    std::normal_distribution<float> normal(0, 0.3F);
    MadeTensor made{"", shape, {}};
    std::size_t count = 1;
    for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
    for (std::size_t i = 0; i < count; ++i)
      made.values.push_back(positive ? 0.2F + std::abs(normal(generator_)) : normal(generator_));
    return made;
  }

  void draw() {
    const bool equal = roll(3) == 0;  // kernels of 3x3x3x3, which any order fits
    int block = 1;
    int number = 0;
    std::int64_t channels = 3;
    for (int i = 0, count = 2 + roll(4); i < count; ++i) {
      Convolution c;
      c.pool_before = i > 0 && roll(3) == 0;
      if (c.pool_before) ++block, number = 0;
      c.name = "conv" + std::to_string(block) + "_" + std::to_string(++number);
      c.in = channels;
      c.out = channels = equal ? 3 : 2 + roll(5);
      c.norm = can_norm() && roll(2) == 0;
      c.bias = way_ == Way::npy || roll(3) != 0;
      c.weight = tensor({c.out, c.in, 3, 3});
      c.biases = tensor({c.out});
      if (c.norm) c.norms = {tensor({c.out}), tensor({c.out}), tensor({c.out}), tensor({c.out}, true)};
      convolutions_.push_back(std::move(c));
    }
  }

  void save() {
    switch (way_) {
      case Way::torch_listed:
      case Way::safetensors_listed:
        return save_listed();
      case Way::torch_named:
        return save_named();
      case Way::keras_blocks:
      case Way::keras_counted:
        return save_keras();
      case Way::npz:
      case Way::npy:
        return save_numpy();
      case Way::caffe:
      case Way::onnx:
      case Way::matlab:
        return save_model();
    }
  }

  void put(const std::string& name, const MadeTensor& tensor) {
    made_.add(name, tensor.shape, tensor.values);
  }

  void put_network(const std::vector<std::string>& keys, const std::string& more = "") {
    std::string layers;
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      const Convolution& c = convolutions_[i];
      if (c.pool_before) layers += "  - {pool: p" + std::to_string(i) + ", kind: max}\n";
      layers += "  - {conv: " + c.name + ", in: " + std::to_string(c.in) + ", out: " + std::to_string(c.out) +
                keys[i] + "}\n";
    }
    if (way_ == Way::matlab)
      put_bytes(made_.folder / "mine.yaml",
                "name: mine\ninput: {order: bgr, scale: 255, mean: [123.68, 116.779, 103.939]}\n"
                "weights: {file: mine.safetensors}\nlayers:\n" +
                    layers);
    else
      made_.put_network(layers, more);
  }

  std::string none(const Convolution& c) const { return c.bias || c.norm ? "" : ", bias: none"; }

  void save_listed() {
    const char* prefixes[] = {"", "state_dict.", "module.", "net.module.vgg."};
    const std::string prefix = prefixes[roll(4)];
    int position = 0;
    std::vector<std::string> keys;
    static constexpr const char* parts[] = {".weight", ".bias", ".running_mean", ".running_var"};
    for (const Convolution& c : convolutions_) {
      if (c.pool_before) ++position;
      const std::string at = prefix + "features." + std::to_string(position++);
      put(at + ".weight", c.weight);
      if (c.bias) put(at + ".bias", c.biases);
      if (c.norm) {
        const std::string norm = prefix + "features." + std::to_string(position++);
        for (std::size_t p = 0; p < 4; ++p) put(norm + parts[p], c.norms[p]);
      }
      ++position;
      keys.push_back(none(c));
      weight_keys_.push_back(c.name + ".weight");
    }
    put_network(keys);
    way_ == Way::torch_listed ? made_.put_torch() : made_.put_safetensors();
  }

  void save_named() {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      const Convolution& c = convolutions_[i];
      const std::string module =
          "enc." + std::string(1, static_cast<char>('a' + roll(26))) + std::to_string(i);
      put(module + ".conv.weight", c.weight);
      if (c.bias) put(module + ".conv.bias", c.biases);
      static constexpr const char* parts[] = {".weight", ".bias", ".running_mean", ".running_var"};
      for (std::size_t p = 0; p < c.norms.size(); ++p) put(module + ".bn" + parts[p], c.norms[p]);
      weight_keys_.push_back(module + (roll(2) == 0 ? ".conv.weight" : ".conv"));
      keys.push_back(", weight: " + weight_keys_.back() + (c.norm ? ", norm: " + module + ".bn" : "") +
                     none(c));
    }
    put_network(keys);
    made_.put_torch();
  }

  void save_keras() {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      const Convolution& c = convolutions_[i];
      MadeTensor hwio{"", {3, 3, c.in, c.out}, reordered(c.weight.values, c.out, c.in, 3, "hwio", false)};
      if (way_ == Way::keras_blocks) {
        const std::string block = "block" + c.name.substr(4, 1) + "_conv" + c.name.substr(6);
        put(block + "/" + block + "/kernel:0", hwio);
        if (c.bias) put(block + "/" + block + "/bias:0", c.biases);
        static constexpr const char* parts[] = {"/gamma:0", "/beta:0", "/moving_mean:0",
                                                "/moving_variance:0"};
        const std::string bn = "bn_" + std::to_string(i);
        for (std::size_t p = 0; p < c.norms.size(); ++p) put(bn + "/" + bn + parts[p], c.norms[p]);
        keys.push_back((c.norm ? ", norm: " + bn : "") + none(c));
        weight_keys_.push_back(c.name + ".weight");
      } else {
        const std::string counter = i == 0 ? "" : "_" + std::to_string(i);
        put("layers/conv2d" + counter + "/vars/0", hwio);
        if (c.bias) put("layers/conv2d" + counter + "/vars/1", c.biases);
        for (std::size_t p = 0; p < c.norms.size(); ++p)
          put("layers/batch_normalization" + counter + "/vars/" + std::to_string(p), c.norms[p]);
        weight_keys_.push_back("layers/conv2d" + counter + "/vars/0");
        keys.push_back(", weight: " + weight_keys_.back() +
                       (c.norm ? ", norm: layers/batch_normalization" + counter : "") + none(c));
      }
    }
    put_network(keys);
    made_.put_hdf5();
  }

  void save_numpy() {
    const bool turned = roll(2) == 0;
    const char* orders[] = {"oihw", "hwio", "ohwi"};
    const std::string axes = orders[roll(3)];
    std::vector<std::string> keys;
    for (const Convolution& c : convolutions_) {
      const KernelLayout layout{axes, turned};
      const bool list = way_ == Way::npy;
      const std::string kernel = c.name + (list ? ".0" : ".weight");
      put(kernel, {"", layout_shape(layout, c.out, c.in, 3),
                   reordered(c.weight.values, c.out, c.in, 3, axes, turned)});
      if (c.bias) put(c.name + (list ? ".1" : ".bias"), c.biases);
      keys.push_back(none(c));
      weight_keys_.push_back(c.name + ".weight");
    }
    put_network(keys, "layout: " + axes + (turned ? "-turned" : "") + "\n");
    put_bytes(made_.file, way_ == Way::npy ? npy_dictionary(made_.tensors()) : npz_bytes(made_.tensors()));
  }

  void save_model() {
    std::vector<MadeLayer> layers;
    std::vector<std::string> keys;
    const auto named = [](MadeTensor tensor, const std::string& name) {
      tensor.name = name;
      return tensor;
    };
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      const Convolution& c = convolutions_[i];
      if (c.pool_before) layers.push_back({"Pooling", "pool" + std::to_string(i), {}});
      layers.push_back({"Convolution", c.name, {named(c.weight, c.name + ".weight")}});
      if (c.bias) layers.back().blobs.push_back(named(c.biases, c.name + ".bias"));
      const std::string bn = c.name + "_bn";
      if (c.norm && way_ == Way::caffe) {
        layers.push_back({"BatchNorm", bn, {c.norms[2], c.norms[3], {"", {1}, {1.0F}}}});
        layers.push_back({"Scale", bn + "_scale", {c.norms[0], c.norms[1]}});
      } else if (c.norm) {
        layers.push_back({"BatchNorm",
                          bn,
                          {named(c.norms[0], bn + ".weight"), named(c.norms[1], bn + ".bias"),
                           named(c.norms[2], bn + ".running_mean"), named(c.norms[3], bn + ".running_var")}});
      }
      layers.push_back({"ReLU", "r" + c.name, {}});
      keys.push_back(none(c));
      weight_keys_.push_back(c.name + ".weight");
    }
    put_network(keys);
    if (way_ == Way::caffe) put_bytes(made_.file, caffe_bytes(layers, false));
    if (way_ == Way::onnx) put_bytes(made_.file, onnx_bytes(layers));
    if (way_ == Way::matlab) put_matlab(made_.file, layers, {}, false);
  }

  static void exchange_channels(std::vector<double>& weight, const Convolution& c) {
    const auto out = static_cast<std::ptrdiff_t>(c.out);
    for (std::ptrdiff_t o = 0; o < out; ++o)
      std::swap_ranges(weight.begin() + o * 27, weight.begin() + o * 27 + 9, weight.begin() + o * 27 + 18);
  }

  std::mt19937 generator_;
  Way way_;
  MadeFile made_;
  std::vector<Convolution> convolutions_;
  std::vector<std::string> weight_keys_;
};

}  // namespace

TEST_CASE("random networks come in right from every format, under every kind of names") {
  for (int way = 0; way <= static_cast<int>(Way::matlab); ++way)
    for (unsigned seed = 1; seed <= 12; ++seed) {
      INFO("way " << way << ", seed " << seed);
      Case(seed + 100 * static_cast<unsigned>(way), static_cast<Way>(way)).run();
    }
}
