// Nothing that changes a layer is left over in silence: it is folded exactly, or refused by its name with the
// way out.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "framework/base/error.h"
#include "nodes/networks/weights.h"
#include "tests/weights/made_file.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr const char* two_layers = "  - {conv: conv1_1, in: 3, out: 4}\n  - {conv: conv1_2, in: 4, out: 5}\n";

/// Two convolutions under their own names.
struct Plain : MadeFile {
  explicit Plain(const std::string& layers = two_layers, const std::string& keys = "") {
    add("conv1_1.weight", {4, 3, 3, 3});
    add("conv1_1.bias", {4});
    add("conv1_2.weight", {5, 4, 3, 3});
    add("conv1_2.bias", {5});
    put_network(layers, keys);
  }
  Folded expected(const std::string& conv, const std::string& norm, double epsilon) const {
    return folded(values(conv + ".weight"), values(conv + ".bias"), values(norm + ".weight"),
                  values(norm + ".bias"), values(norm + ".running_mean"), values(norm + ".running_var"),
                  epsilon);
  }
  void check(const std::string& conv, const Folded& expected) const {
    CHECK(error_of(conv + ".weight", expected.weight) < 1e-6);
    CHECK(error_of(conv + ".bias", expected.bias) < 1e-6);
  }
};

/// The same as torchvision's list of modules; `norms` says after which convolutions there is one.
struct Listed : MadeFile {
  Listed(bool first, bool second, bool biases = true) {
    int position = 0;
    const auto convolution = [&](std::int64_t in, std::int64_t out) {
      at.push_back("features." + std::to_string(position++));
      add(at.back() + ".weight", {out, in, 3, 3});
      if (biases) add(at.back() + ".bias", {out});
    };
    const auto norm = [&](std::int64_t out) { add_norm("features." + std::to_string(position++), out); };
    convolution(3, 4);
    if (first) norm(4);
    ++position;  // ReLU
    convolution(4, 5);
    if (second) norm(5);
    end = position + 1;
    put_network(two_layers);
  }
  std::vector<std::string> at;  // the convolutions
  int end = 0;
};

}  // namespace

TEST_CASE("a batch norm among names of one's own is refused by name, with what to write") {
  for (const auto put : {&MadeFile::put_torch, &MadeFile::put_safetensors}) {
    Plain file;
    file.add_norm("bn0", 4);
    (file.*put)();
    const std::string message = file.refused_mine();
    CHECK(contains(message, "'bn0' (bias, running_mean, running_var, weight) is a batch norm of 4 channels"));
    CHECK(contains(message, "it may change those of conv1_1"));
    CHECK(contains(message, "say norm: bn0 at the convolution"));
    CHECK(contains(message, "weights: {ignore: [bn0]}"));
  }
}

TEST_CASE("norm: names the batch norm, which is folded exactly") {
  Plain file(
      "  - {conv: conv1_1, in: 3, out: 4, norm: bn0}\n  - {conv: conv1_2, in: 4, out: 5, norm: "
      "blocks.1.bn}\n");
  file.add_norm("bn0", 4);
  file.add_norm("blocks.1.bn", 5);
  file.put_torch();
  CHECK(file.import_mine().folded_batch_norms == 2);
  file.check("conv1_1", file.expected("conv1_1", "bn0", 1e-5));
  file.check("conv1_2", file.expected("conv1_2", "blocks.1.bn", 1e-5));
}

TEST_CASE("epsilon: says what the norm adds, where it is not the framework's usual") {
  Plain file(
      "  - {conv: conv1_1, in: 3, out: 4, norm: bn0, epsilon: 0.25}\n  - {conv: conv1_2, in: 4, out: 5}\n");
  file.add_norm("bn0", 4);
  file.put_safetensors();
  file.import_mine();
  file.check("conv1_1", file.expected("conv1_1", "bn0", 0.25));
}

TEST_CASE("a norm of names that belong to no framework asks for its epsilon") {
  Plain file("  - {conv: conv1_1, in: 3, out: 4, norm: bn0}\n  - {conv: conv1_2, in: 4, out: 5}\n");
  for (const char* part : {"bn0.scale", "bn0.offset", "bn0.mean", "bn0.var"}) file.add(part, {4});
  file.put_safetensors();
  CHECK(contains(file.refused_mine(), "say epsilon: 1.0e-5"));
}

TEST_CASE("a norm without factor and summand") {
  Plain file("  - {conv: conv1_1, in: 3, out: 4, norm: bn0}\n  - {conv: conv1_2, in: 4, out: 5}\n");
  file.add("bn0.running_mean", {4});
  file.add("bn0.running_var", {4});
  file.put_torch();
  file.import_mine();
  const std::vector<float> one(4, 1.0F);
  const std::vector<float> zero(4, 0.0F);
  file.check("conv1_1", folded(file.values("conv1_1.weight"), file.values("conv1_1.bias"), one, zero,
                               file.values("bn0.running_mean"), file.values("bn0.running_var"), 1e-5));
}

TEST_CASE("Keras's batch norms add 0.001") {
  MadeFile file;
  file.add("a/a/kernel:0", {3, 3, 3, 4});
  file.add("a/a/bias:0", {4});
  file.add_keras_norm("bn/bn", 4);
  file.put_hdf5();
  file.put_network("  - {conv: conv1_1, in: 3, out: 4, weight: a/a/kernel:0, bias: a/a/bias:0, norm: bn}\n");
  file.import_mine();
  const std::vector<float> given = file.values("a/a/kernel:0");
  std::vector<float> kernel(given.size());
  for (std::size_t o = 0; o < 4; ++o)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t p = 0; p < 9; ++p) kernel[(o * 3 + i) * 9 + p] = given[(p * 3 + i) * 4 + o];
  const Folded right =
      folded(kernel, file.values("a/a/bias:0"), file.values("bn/bn/gamma:0"), file.values("bn/bn/beta:0"),
             file.values("bn/bn/moving_mean:0"), file.values("bn/bn/moving_variance:0"), 1e-3);
  CHECK(file.error_of("a/a/kernel:0", right.weight) < 1e-6);
  CHECK(file.error_of("a/a/bias:0", right.bias) < 1e-6);
}

TEST_CASE("a batch norm in any Keras file is asked about") {
  MadeFile file;
  file.add("block1_conv1/block1_conv1/kernel:0", {3, 3, 3, 4});
  file.add("block1_conv1/block1_conv1/bias:0", {4});
  file.add_keras_norm("batch_normalization_1/batch_normalization_1", 4);
  file.put_hdf5();
  file.put_network("  - {conv: conv1_1, in: 3, out: 4}\n");
  CHECK(contains(file.refused_mine(), "'batch_normalization_1/batch_normalization_1'"));
  file.put_network("  - {conv: conv1_1, in: 3, out: 4, norm: batch_normalization_1}\n");
  CHECK(file.import_mine().folded_batch_norms == 1);
}

TEST_CASE("torchvision's names: a norm after every convolution, after some, without biases") {
  for (const bool first : {false, true})
    for (const bool second : {false, true})
      for (const bool biases : {false, true}) {
        INFO(first << second << biases);
        Listed file(first, second, biases);
        file.put_torch();
        if (!biases && (!first || !second)) {
          CHECK(contains(file.refused_mine(), "if the convolution has none: bias: none"));
          continue;
        }
        CHECK(file.import_mine().folded_batch_norms == (first ? 1 : 0) + (second ? 1 : 0));
        const auto check = [&](std::size_t i, const std::string& conv, bool norm) {
          const std::string module = file.at[i];
          const std::string next = "features." + std::to_string(std::stoi(module.substr(9)) + 1);
          const std::vector<float> bias = biases ? file.values(module + ".bias") : std::vector<float>{};
          const Folded right =
              norm ? folded(file.values(module + ".weight"), bias, file.values(next + ".weight"),
                            file.values(next + ".bias"), file.values(next + ".running_mean"),
                            file.values(next + ".running_var"), 1e-5)
                   : Folded{as_double(file.values(module + ".weight")), as_double(bias)};
          CHECK(file.error_of(conv + ".weight", right.weight) < 1e-6);
          CHECK(file.error_of(conv + ".bias", right.bias) < 1e-6);
        };
        check(0, "conv1_1", first);
        check(1, "conv1_2", second);
      }
}

TEST_CASE("a norm behind the network's end is surplus") {
  Listed file(false, false);
  file.add("features." + std::to_string(file.end) + ".weight", {6, 5, 3, 3});
  file.add_norm("features." + std::to_string(file.end + 1), 5);
  file.put_torch();
  CHECK(file.import_mine().ignored.size() == 5);
}

TEST_CASE("a PReLU, an instance norm, a scale: refused with the name and what it is") {
  struct Case {
    const char* name;
    std::vector<std::int64_t> shape;
    const char* says;
  };
  for (const Case& what :
       {Case{"act1.weight", {4}, "'act1' (weight) is a PReLU or a scale of 4 channels"},
        Case{"act1.weight", {1}, "'act1' (weight) is a PReLU or a scale of 1 number"},
        Case{"scale1.gamma", {1, 5, 1, 1}, "'scale1' (gamma) is a PReLU or a scale of 5 channels"},
        Case{"gain", {}, "'gain'"}, Case{"layer_scale", {4, 1, 1}, "'layer_scale'"}}) {
    for (const auto put : {&MadeFile::put_torch, &MadeFile::put_safetensors}) {
      Plain file;
      file.add(what.name, what.shape);
      (file.*put)();
      CHECK(contains(file.refused_mine(), what.says));
    }
  }
  Plain file;
  file.add("in1.weight", {4});
  file.add("in1.bias", {4});
  file.put_torch();
  CHECK(contains(file.refused_mine(), "an instance, group or layer norm, or a scale of 4 channels"));
}

TEST_CASE("norm: on what is no batch norm with statistics of its own is refused") {
  Plain file("  - {conv: conv1_1, in: 3, out: 4, norm: in1}\n  - {conv: conv1_2, in: 4, out: 5}\n");
  file.add("in1.weight", {4});
  file.add("in1.bias", {4});
  file.put_torch();
  CHECK(contains(file.refused_mine(), "the norm 'in1' of conv1_1 has no mean and variance of its own"));
}

TEST_CASE("torchvision's names with a PReLU or an instance norm in the list") {
  for (const std::int64_t size : {1, 4}) {
    Listed file(false, false);
    file.add("features.1.weight", {size});
    file.put_torch();
    CHECK(contains(file.refused_mine(), "'features.1' is a PReLU or a scale between conv1_1 and its ReLU"));
    file.add("features.1.bias", {size});
    file.put_torch();
    CHECK(contains(file.refused_mine(), "'features.1' is an instance, group or layer norm"));
  }
}

TEST_CASE("torchvision's names with the batch norm behind the ReLU") {
  MadeFile file;
  file.add("features.0.weight", {4, 3, 3, 3});
  file.add("features.0.bias", {4});
  file.add_norm("features.2", 4);
  file.add("features.3.weight", {5, 4, 3, 3});
  file.add("features.3.bias", {5});
  file.put_network(two_layers);
  file.put_torch();
  CHECK(contains(file.refused_mine(), "'features.2' is a batch norm where conv1_2 should be"));
}

TEST_CASE("weight norm is undone exactly, in its old and its new form; without its length it is refused") {
  for (const bool old : {true, false}) {
    MadeFile file;
    const std::string v = old ? "conv1_1.weight_v" : "conv1_1.parametrizations.weight.original1";
    const std::string g = old ? "conv1_1.weight_g" : "conv1_1.parametrizations.weight.original0";
    file.add(v, {4, 3, 3, 3});
    file.add("conv1_1.bias", {4});
    file.put_network("  - {conv: conv1_1, in: 3, out: 4}\n");
    file.put_torch();
    CHECK(contains(file.refused_mine(), old ? "but not its length" : "'conv1_1"));
    file.add(g, {4, 1, 1, 1});
    file.put_torch();
    file.import_mine();
    std::vector<double> right = as_double(file.values(v));
    for (std::size_t o = 0; o < 4; ++o) {
      double squares = 0;
      for (std::size_t i = 0; i < 27; ++i) squares += right[o * 27 + i] * right[o * 27 + i];
      for (std::size_t i = 0; i < 27; ++i)
        right[o * 27 + i] *= static_cast<double>(file.values(g)[o]) / std::sqrt(squares);
    }
    CHECK(file.error_of("conv1_1.weight", right) < 1e-6);
  }
}

TEST_CASE("spectral norm and strange company of a kernel are refused") {
  MadeFile file;
  file.add("conv1_1.weight_orig", {4, 3, 3, 3});
  file.add("conv1_1.weight_u", {4});
  file.add("conv1_1.weight_v", {27});
  file.add("conv1_1.bias", {4});
  file.put_network("  - {conv: conv1_1, in: 3, out: 4}\n");
  file.put_torch();
  CHECK(contains(file.refused_mine(), "spectral norm"));
  Plain lora;
  lora.add("conv1_2.lora_A", {2, 4});
  lora.put_torch();
  CHECK(
      contains(lora.refused_mine(), "'conv1_2.lora_A' lies beside the kernel of conv1_2 and may change it"));
}

TEST_CASE("pruned kernels are masked") {
  MadeFile file;
  file.add("conv1_1.weight_orig", {4, 3, 3, 3});
  std::vector<float> mask(108, 1.0F);
  mask[7] = mask[50] = 0;
  file.add("conv1_1.weight_mask", {4, 3, 3, 3}, mask);
  file.add("conv1_1.bias", {4});
  file.put_network("  - {conv: conv1_1, in: 3, out: 4}\n");
  file.put_torch();
  file.import_mine();
  CHECK(file.imported("conv1_1.weight")[7] == 0);
  CHECK(file.imported("conv1_1.weight")[8] == file.values("conv1_1.weight_orig")[8]);
}

TEST_CASE("a convolution that makes the input is not left out in silence") {
  Plain file;
  file.add("conv0.weight", {3, 3, 1, 1});
  file.add("conv0.bias", {3});
  file.put_torch();
  CHECK(contains(file.refused_mine(), "'conv0' is a convolution of 3 channels to 3"));
}

TEST_CASE("a convolution between the network's is not left out in silence") {
  Plain file("  - {conv: conv1_1, in: 3, out: 4}\n  - {conv: conv2_1, in: 4, out: 5}\n");
  file.tensors()[2].name = "conv2_1.weight";
  file.tensors()[3].name = "conv2_1.bias";
  file.put_torch();
  file.import_mine();
  Plain more("  - {conv: conv1_1, in: 3, out: 4}\n  - {conv: conv2_1, in: 4, out: 5}\n");
  more.add("conv2_1.weight", {5, 4, 3, 3});
  more.add("conv2_1.bias", {5});
  more.put_torch();
  CHECK(contains(more.refused_mine(), "'conv1_2' is a convolution between those of the network"));
}

TEST_CASE("what is harmless is only named: later layers, classifiers, counters, optimisers") {
  Plain file;
  file.add("conv1_3.weight", {4, 5, 3, 3});
  file.add("conv1_3.bias", {4});
  file.add("classifier.0.weight", {4, 20});
  file.add("classifier.0.bias", {4});
  file.add("bn9.num_batches_tracked", {});
  file.add("optimizer.conv1_1.exp_avg", {4});
  file.add("mean", {1, 3, 1, 1});
  file.put_torch();
  CHECK(file.import_mine().ignored.size() == 7);
}

TEST_CASE("weights: {ignore: ...} says that something is harmless") {
  Plain file(two_layers, "weights: {file: mine.safetensors, ignore: [decoder, in1.weight]}\n");
  file.add_norm("decoder.bn", 4);
  file.add("in1.weight", {4});
  file.put_torch();
  CHECK(file.import_mine().ignored.size() == 5);
  file.add("decoders.scale", {4});
  std::filesystem::remove(file.out);
  file.put_torch();
  CHECK(contains(file.refused_mine(), "'decoders'"));
}

TEST_CASE("bias: none gives zero, and is refused when there is one") {
  Plain file("  - {conv: conv1_1, in: 3, out: 4, bias: none}\n  - {conv: conv1_2, in: 4, out: 5}\n");
  file.put_torch();
  CHECK(contains(file.refused_mine(), "says bias: none"));
  file.tensors().erase(file.tensors().begin() + 1);
  file.put_torch();
  file.import_mine();
  CHECK(file.imported("conv1_1.bias") == std::vector<float>(4, 0.0F));
}

TEST_CASE("a run does not use a file with a norm in it, either") {
  Plain file(two_layers);
  file.add_norm("bn0", 4);
  file.put_safetensors();
  Diagnostics diagnostics;
  const auto network = load_network("mine.yaml", file.folder.path(), file.paths, {}, diagnostics);
  REQUIRE(network);
  const std::string message = message_of<RunError>([&] { check_weights(*network, file.file); });
  CHECK(contains(message, "has a number for each channel of a layer and may change it"));
  CHECK(contains(message, "gramflow weights import"));
}

TEST_CASE("what import made can be imported again by the same network file") {
  Plain file(
      "  - {conv: conv1_1, in: 3, out: 4, norm: bn0, bias: none}\n  - {conv: conv1_2, in: 4, out: 5}\n");
  file.tensors().erase(file.tensors().begin() + 1);
  file.add_norm("bn0", 4);
  file.put_torch();
  file.import_mine();
  const std::vector<float> once = file.imported("conv1_1.weight");
  std::filesystem::rename(file.out, file.file);
  file.import_mine();
  CHECK(file.imported("conv1_1.weight") == once);
  CHECK_FALSE(file.imported("conv1_1.bias") == std::vector<float>(4, 0.0F));
}
