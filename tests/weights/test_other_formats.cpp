// numpy, Caffe, ONNX and MATLAB: how the classical VGGs were handed round.
#include <doctest/doctest.h>

#include <filesystem>

#include "framework/base/error.h"
#include "nodes/import/tensor_source.h"
#include "tests/weights/make_other.h"
#include "tests/weights/make_torch.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr const char* two_layers =
    "  - {conv: conv1_1, in: 3, out: 4}\n  - {pool: pool1, kind: max}\n  - {conv: conv2_1, in: 4, out: 5}\n";
constexpr const char* caffe_input =
    "name: mine\ninput: {order: bgr, scale: 255, mean: [123.68, 116.779, 103.939]}\nweights: {file: "
    "mine.safetensors}\nlayers:\n";

/// Two convolutions with ReLUs and a pool between them, as layers; no numbers are equal.
struct Model : MadeFile {
  Model() {
    add("conv1_1.weight", {4, 3, 3, 3});
    add("conv1_1.bias", {4});
    add("conv2_1.weight", {5, 4, 3, 3});
    add("conv2_1.bias", {5});
    put_bytes(folder / "mine.yaml", std::string(caffe_input) + two_layers);
    made = tensors();
    const std::vector<MadeTensor>& t = made;
    layers = {{"Convolution", "conv1_1", {t[0], t[1]}},
              {"ReLU", "relu1_1", {}},
              {"Pooling", "pool1", {}},
              {"Convolution", "conv2_1", {t[2], t[3]}},
              {"ReLU", "relu2_1", {}}};
  }
  void check() const {
    for (const MadeTensor& tensor : made) CHECK(imported(tensor.name) == tensor.values);
  }
  std::vector<MadeLayer> layers;
  std::vector<MadeTensor> made;
};

ImportOptions network(const Model& model) {
  ImportOptions options;
  options.network = model.folder / "mine.yaml";
  return options;
}

}  // namespace

TEST_CASE("Caffe's models, old and later layers, are Caffe's convention") {
  for (const bool old : {true, false}) {
    Model model;
    put_bytes(model.file, caffe_bytes(model.layers, old));
    const ImportReport report = model.import(network(model));
    model.check();
    CHECK(contains(report.format, "a Caffe model"));
    CHECK(contains(report.convention, "as all VGGs of Caffe"));
  }
}

TEST_CASE("Caffe's batch norm and scale are folded where they stand before the ReLU") {
  Model model;
  const auto vector = [&](const std::string& name) {
    model.add(name, {4});
    return model.tensors().back();
  };
  const MadeTensor mean = vector("mean");
  const MadeTensor var = vector("var");
  const MadeTensor scale = vector("scale");
  const MadeTensor shift = vector("shift");
  const MadeLayer norm{"BatchNorm", "bn", {mean, var, {"f", {1}, {2.0F}}}};
  const MadeLayer scaled{"Scale", "sc", {scale, shift}};
  std::vector<MadeLayer> layers = model.layers;
  layers.insert(layers.begin() + 1, {norm, scaled});
  put_bytes(model.file, caffe_bytes(layers, false));
  CHECK(model.import(network(model)).folded_batch_norms == 1);
  std::vector<float> half_mean = mean.values;
  std::vector<float> half_var = var.values;
  for (float& value : half_mean) value /= 2;
  for (float& value : half_var) value /= 2;
  const Folded right = folded(model.values("conv1_1.weight"), model.values("conv1_1.bias"), scale.values,
                              shift.values, half_mean, half_var, 1e-5);
  CHECK(model.error_of("conv1_1.weight", right.weight) < 1e-6);
  CHECK(model.error_of("conv1_1.bias", right.bias) < 1e-6);

  std::filesystem::remove(model.out);
  layers = model.layers;
  layers.insert(layers.begin() + 2, {norm, scaled});  // after the ReLU
  put_bytes(model.file, caffe_bytes(layers, false));
  CHECK(contains(model.refused(network(model)), "is followed by a BatchNorm 'bn' after its ReLU"));
}

TEST_CASE("Caffe's models say stride, padding, PReLU and whether there is a bias") {
  const auto refused = [](const auto& change) {
    Model model;
    change(model.layers);
    put_bytes(model.file, caffe_bytes(model.layers, false));
    return model.refused(network(model));
  };
  CHECK(contains(refused([](auto& layers) { layers[0].stride = 2; }), "has a stride"));
  CHECK(contains(refused([](auto& layers) { layers[3].padding = 0; }),
                 "pads by 0, but conv2_1 by 1: say padding: 0"));
  CHECK(contains(refused([](auto& layers) {
                   layers[1] = {"PReLU", "p", {{"a", {4}, {1, 2, 3, 4}}}};
                 }),
                 "is followed by a PReLU"));
  Model model;
  model.layers[0].blobs.pop_back();
  put_bytes(model.file, caffe_bytes(model.layers, false));
  model.import(network(model));
  CHECK(model.imported("conv1_1.bias") == std::vector<float>(4, 0.0F));
}

TEST_CASE("ONNX's initialisers, with torchvision's names or none") {
  for (const bool named : {true, false}) {
    Model model;
    const char* names[] = {"features.0.weight", "features.0.bias", "features.3.weight", "features.3.bias"};
    const char* counted[] = {"onnx::Conv_10", "onnx::Conv_11", "onnx::Conv_12", "onnx::Conv_13"};
    for (int i = 0; i < 4; ++i)
      model.layers[i < 2 ? 0 : 3].blobs[static_cast<std::size_t>(i % 2)].name = named ? names[i] : counted[i];
    put_bytes(model.file, onnx_bytes(model.layers));
    if (named) {
      model.put_network(two_layers);
      CHECK(contains(model.import(network(model)).convention, "as all VGGs of torchvision"));
      model.check();
    } else {
      model.put_network(
          "  - {conv: conv1_1, in: 3, out: 4, weight: 'onnx::Conv_10'}\n  - {pool: pool1, kind: max}\n"
          "  - {conv: conv2_1, in: 4, out: 5, weight: 'onnx::Conv_12'}\n");
      model.import_mine();
      CHECK(model.imported("onnx::Conv_12") == model.values("conv2_1.weight"));
      CHECK(model.imported("conv2_1.bias") == model.values("conv2_1.bias"));
    }
  }
}

TEST_CASE("ONNX's graph says what stands between a convolution and its ReLU") {
  Model model;
  model.put_network(two_layers);
  std::vector<MadeTensor> parts;
  for (const char* part :
       {"conv1_1_bn.weight", "conv1_1_bn.bias", "conv1_1_bn.running_mean", "conv1_1_bn.running_var"}) {
    model.add(part, {4});
    parts.push_back(model.tensors().back());
  }
  std::vector<MadeLayer> layers = model.layers;
  layers.insert(layers.begin() + 1, MadeLayer{"BatchNorm", "bn", parts});
  put_bytes(model.file, onnx_bytes(layers));
  CHECK(model.import_mine().folded_batch_norms == 1);
  const Folded right = folded(model.values("conv1_1.weight"), model.values("conv1_1.bias"), parts[0].values,
                              parts[1].values, parts[2].values, parts[3].values, 1e-5);
  CHECK(model.error_of("conv1_1.weight", right.weight) < 1e-6);
  std::filesystem::remove(model.out);
  layers = model.layers;
  layers[1] = {"PReLU", "p", {{"slopes", {4, 1, 1}, {1, 2, 3, 4}}}};
  put_bytes(model.file, onnx_bytes(layers));
  CHECK(contains(model.refused_mine(), "is followed by PRelu"));
  layers = model.layers;
  layers[3].stride = 2;
  put_bytes(model.file, onnx_bytes(layers));
  CHECK(contains(model.refused_mine(), "has a stride"));
}

TEST_CASE("MatConvNet's layers become Caffe's network with the channels exchanged") {
  Model model;
  put_matlab(model.file, model.layers, {123.68, 116.779, 103.939}, false);
  const ImportReport report = model.import(network(model));
  CHECK(contains(report.convention, "as the VGGs of MatConvNet"));
  CHECK(model.imported("conv2_1.weight") == model.values("conv2_1.weight"));
  CHECK(model.imported("conv1_1.bias") == model.values("conv1_1.bias"));
  const std::vector<float> found = model.imported("conv1_1.weight");
  const std::vector<float>& made = model.values("conv1_1.weight");
  for (std::size_t o = 0; o < 4; ++o)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t p = 0; p < 9; ++p) CHECK(found[(o * 3 + c) * 9 + p] == made[(o * 3 + 2 - c) * 9 + p]);
}

TEST_CASE("MatConvNet's files of another mean, or of none, are not taken for Caffe's") {
  Model model;
  put_matlab(model.file, model.layers, {129.1863, 104.7624, 93.594}, false);
  CHECK(contains(model.refused(network(model)), "its weights want another input"));
  put_matlab(model.file, model.layers, {}, false);
  CHECK(contains(model.refused(network(model)), "--convention matconvnet"));
  ImportOptions options = network(model);
  options.convention = "matconvnet";
  CHECK(contains(model.import(options).convention, "the first convolution was changed"));
}

TEST_CASE("arrays alone in a MATLAB file ask for their layout") {
  Model model;
  MadeLayer arrays;
  for (const MadeTensor& tensor : model.made)
    arrays.blobs.push_back({tensor.name.substr(0, 7) + (tensor.name.ends_with("bias") ? "_b" : "_k"),
                            tensor.shape, tensor.values});
  put_matlab(model.file, {arrays}, {}, true);
  const std::string mapped =
      "  - {conv: conv1_1, in: 3, out: 4, weight: conv1_1_k, bias: conv1_1_b}\n  - {pool: p}\n"
      "  - {conv: conv2_1, in: 4, out: 5, weight: conv2_1_k, bias: conv2_1_b}\n";
  model.put_network(mapped);
  CHECK(contains(model.refused_mine(), "say layout: hwio"));
  model.put_network(mapped, "layout: oihw\n");
  model.import_mine();
  CHECK(model.imported("conv2_1_k") == model.values("conv2_1.weight"));
}

TEST_CASE("numpy's archives: PyTorch's and TensorFlow's names tell the order") {
  Model model;
  model.put_network(two_layers);
  put_bytes(model.file, npz_bytes(model.made));
  model.import_mine();
  model.check();
  std::vector<MadeTensor> slim;
  for (const MadeTensor& tensor : model.made) {
    const bool kernel = tensor.shape.size() == 4;
    const auto& s = tensor.shape;
    slim.push_back({tensor.name.substr(0, 7) + (kernel ? "_W" : "_b"),
                    kernel ? std::vector<std::int64_t>{3, 3, s[1], s[0]} : s,
                    kernel ? reordered(tensor.values, s[0], s[1], 3, "hwio", false) : tensor.values});
  }
  put_bytes(model.file, npz_bytes(slim));
  model.import_mine();
  model.check();
  std::vector<MadeTensor> listed = slim;
  for (MadeTensor& tensor : listed)
    tensor.name = tensor.name.substr(0, 7) + (tensor.shape.size() == 4 ? ".0" : ".1");
  put_bytes(model.file, npy_dictionary(listed));
  CHECK(contains(model.import_mine().format, "a pickled dictionary of numpy"));
  model.check();
}

TEST_CASE("numpy's arrays of names that tell nothing, or of equal sides, ask") {
  MadeFile file;
  file.add("conv1_1.weight", {3, 3, 3, 3});
  file.add("conv1_1.bias", {3});
  const std::string layer = "  - {conv: conv1_1, in: 3, out: 3}\n";
  file.put_network(layer);
  put_bytes(file.file, npz_bytes(file.tensors()));
  CHECK(contains(file.refused_mine(), "numpy does not say in what order"));
  for (const char* axes : {"oihw", "hwio"}) {
    file.put_network(layer, std::string("layout: ") + axes + "\n");
    const std::vector<float> right = file.values("conv1_1.weight");
    std::vector<MadeTensor> made = file.tensors();
    made[0].values = reordered(right, 3, 3, 3, axes, false);
    put_bytes(file.file, npz_bytes(made));
    file.import_mine();
    CHECK(file.imported("conv1_1.weight") == right);
  }
}

TEST_CASE("numpy's first-side-fastest arrays are read as what they are") {
  Model model;
  model.put_network(two_layers);
  NamedBytes records;
  for (const MadeTensor& tensor : model.made)
    records.emplace_back(tensor.name + ".npy", npy_bytes(tensor, true));
  put_bytes(model.file, zip_bytes(records));
  model.import_mine();
  model.check();
}

TEST_CASE("a pickle of numpy that would run something is refused") {
  const TemporaryFolder folder;
  std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n";
  put_bytes(folder / "x.npy", "\x93NUMPY" + std::string("\1\0", 2) + little(header.size(), 2) + header +
                                  calling_pickle("os", "system", "rm"));
  CHECK(contains(message_of<RunError>([&] { open_tensor_source(folder / "x.npy"); }),
                 "asks Python to run 'os.system'"));
}

TEST_CASE("cut files of every kind give a message") {
  Model model;
  put_matlab(model.file, model.layers, {1, 2, 3}, true);
  const std::string matlab = get_bytes(model.file);
  const std::vector<std::string> files = {caffe_bytes(model.layers, true), onnx_bytes(model.layers),
                                          npz_bytes(model.made), matlab};
  for (const std::string& whole : files)
    for (std::size_t size = 16; size < whole.size(); size += whole.size() / 9) {
      put_bytes(model.file, whole.substr(0, size));
      INFO(size << " of " << whole.size());
      CHECK(message_of<RunError>([&] { model.import(network(model)); }) != "");
    }
}

TEST_CASE("names that tell nothing are no matter where the model says the order of its convolutions") {
  struct Naming {
    const char* kernel[2];
    const char* bias[2];
  };
  const Naming namings[] = {
      {{"vgg0_conv0_weight", "vgg0_conv1_weight"}, {"vgg0_conv0_bias", "vgg0_conv1_bias"}},  // MXNet
      {{"conv1_1_w_0", "conv2_1_w_0"}, {"conv1_1_b_0", "conv2_1_b_0"}},                      // Caffe 2
      {{"onnx::Conv_10", "onnx::Conv_12"}, {"onnx::Conv_11", "onnx::Conv_13"}},  // PyTorch, folded
      {{"vgg19/block1_conv1/Conv2D/ReadVariableOp:0", "vgg19/block2_conv1/Conv2D/ReadVariableOp:0"},
       {"vgg19/block1_conv1/BiasAdd/ReadVariableOp:0", "vgg19/block2_conv1/BiasAdd/ReadVariableOp:0"}},
      {{"b", "a"}, {"0", "1"}}};
  for (const Naming& naming : namings) {
    INFO(naming.kernel[0]);
    Model model;
    model.put_network(two_layers);
    for (std::size_t i = 0; i < 2; ++i) {
      model.layers[3 * i].blobs[0].name = naming.kernel[i];
      model.layers[3 * i].blobs[1].name = naming.bias[i];
    }
    put_bytes(model.file, onnx_bytes(model.layers));
    const ImportReport report = model.import_mine();
    CHECK(contains(report.format,
                   "names of its own, in the order in which the model applies its convolutions"));
    model.check();
  }
  Model caffe;
  caffe.put_network(two_layers);
  caffe.layers[0].name = "first";
  caffe.layers[3].name = "second";
  for (const bool old : {true, false}) {
    put_bytes(caffe.file, caffe_bytes(caffe.layers, old));
    caffe.import_mine();
    caffe.check();
  }
}

TEST_CASE("MXNet's batch norms belong to the convolution before them") {
  Model model;
  model.put_network(two_layers);
  std::vector<MadeTensor> parts;
  for (const char* part : {"gamma", "beta", "running_mean", "running_var"}) {
    model.add(std::string("vgg0_batchnorm0_") + part, {4});
    parts.push_back(model.tensors().back());
  }
  model.layers[0].blobs[0].name = "vgg0_conv0_weight";
  model.layers[0].blobs[1].name = "vgg0_conv0_bias";
  model.layers[3].blobs[0].name = "vgg0_conv1_weight";
  model.layers[3].blobs[1].name = "vgg0_conv1_bias";
  std::vector<MadeLayer> layers = model.layers;
  layers.insert(layers.begin() + 1, MadeLayer{"BatchNorm", "bn", parts});
  put_bytes(model.file, onnx_bytes(layers));
  CHECK(model.import_mine().folded_batch_norms == 1);
  const Folded right = folded(model.values("conv1_1.weight"), model.values("conv1_1.bias"), parts[0].values,
                              parts[1].values, parts[2].values, parts[3].values, 1e-5);
  CHECK(model.error_of("conv1_1.weight", right.weight) < 1e-6);
  CHECK(model.error_of("conv1_1.bias", right.bias) < 1e-6);
}

TEST_CASE("an order of convolutions that is not the network's is refused") {
  const auto refused = [](auto change) {
    Model model;
    model.put_network(two_layers);
    model.layers[0].blobs[0].name = "a_weight";
    model.layers[3].blobs[0].name = "b_weight";
    change(model.layers);
    put_bytes(model.file, onnx_bytes(model.layers));
    return model.refused_mine();
  };
  CHECK(contains(refused([](auto& layers) { layers.erase(layers.begin() + 2); }),
                 "'b_weight' (for conv2_1) comes behind 0 pools of 2x2, where 1 should be"));
  CHECK(contains(refused([](auto& layers) { layers.erase(layers.begin() + 3); }),
                 "the model has no convolution for conv2_1: it applies 1 one after the other"));
  CHECK(
      contains(refused([](auto& layers) {
                 layers.insert(layers.begin() + 3, MadeLayer{"PReLU", "p", {{"s", {4, 1, 1}, {1, 2, 3, 4}}}});
               }),
               "the model has no convolution for conv2_1"));
}

TEST_CASE("names that say one thing while the model does another are a question") {
  Model model;
  model.put_network("  - {conv: conv1_1, in: 3, out: 3}\n  - {conv: conv1_2, in: 3, out: 3}\n");
  MadeFile two;
  for (const char* name : {"features.0.weight", "features.2.weight"}) two.add(name, {3, 3, 3, 3});
  for (const char* name : {"features.0.bias", "features.2.bias"}) two.add(name, {3});
  const std::vector<MadeTensor>& t = two.tensors();
  put_bytes(model.file, onnx_bytes({{"Convolution", "x", {t[1], t[3]}},
                                    {"ReLU", "r", {}},
                                    {"Convolution", "y", {t[0], t[2]}},
                                    {"ReLU", "s", {}}}));
  CHECK(contains(model.refused_mine(), "fits network 'mine' in two ways: with torchvision's names"));
}
