// In what order a kernel's numbers lie follows from who wrote the file, never from a shape: every kernel here
// is 3x3x3x3.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/weights/made_file.h"
#include "tests/weights/make_torch.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

using Attributes = std::map<std::string, std::string>;

/// One convolution of 3 channels to 3 whose kernel lies in this order under this name.
struct OneKernel : MadeFile {
  OneKernel(const std::string& kernel, const std::string& bias, const std::string& axes, bool turned,
            const std::string& keys = "") {
    add("right", {3, 3, 3, 3});
    right = as_double(values("right"));
    const std::vector<float> made = reordered(values("right"), 3, 3, 3, axes, turned);
    tensors().clear();
    add(kernel, {3, 3, 3, 3}, made);
    add(bias, {3});
    put_network("  - {conv: block, in: 3, out: 3, weight: '" + kernel + "', bias: '" + bias + "'}\n", keys);
    name = kernel;
  }
  void check(const Attributes& attributes = {}) {
    put_hdf5(attributes);
    import_mine();
    CHECK(error_of(name, right) == 0);
  }
  std::vector<double> right;
  std::string name;
};

std::string model_config(const std::string& dim_ordering) {
  return R"({"class_name": "Sequential", "config": [{"class_name": "Convolution2D", "config": {"name": "conv",
          "activation": "relu", "border_mode": "same", "dim_ordering": ")" +
         dim_ordering + R"("}}]})";
}

}  // namespace

TEST_CASE("Keras's kernels are HWIO under any name") {
  for (const char* name :
       {"conv/conv/kernel:0", "a/b/c:0", "conv/conv_W_1:0", "layers/conv2d/vars/0", "conv/kernel"})
    OneKernel(name, "bias:0", "hwio", false).check();
  OneKernel("x/y", "x/z", "hwio", false).check({{"layer_names", ""}});
  OneKernel("x/y", "x/z", "hwio", false).check({{"keras_version", "2.4.0"}, {"backend", "tensorflow"}});
}

TEST_CASE("Keras 2 with Theano turns its kernels; Keras 1 says what it does") {
  OneKernel("c/kernel:0", "c/bias:0", "hwio", true)
      .check({{"keras_version", "2.0.8"}, {"backend", "theano"}});
  OneKernel("c/c_W:0", "c/c_b:0", "oihw", true)
      .check({{"keras_version", "1.2.2"}, {"backend", "theano"}, {"model_config", model_config("th")}});
  OneKernel("c/c_W:0", "c/c_b:0", "oihw", false)
      .check({{"keras_version", "1.2.2"}, {"backend", "tensorflow"}, {"model_config", model_config("th")}});
  OneKernel("c/c_W:0", "c/c_b:0", "hwio", false)
      .check({{"keras_version", "1.2.2"}, {"model_config", model_config("tf")}});
}

TEST_CASE("what does not say whether its kernels are turned is refused by name, and layout: settles it") {
  for (const bool turned : {false, true}) {
    OneKernel old("layer_1/param_0", "layer_1/param_1", "oihw", turned);
    old.put_hdf5({{"nb_layers", ""}});
    const std::string message = old.refused_mine();
    CHECK(contains(message, "Theano"));
    CHECK(contains(message, "layout: oihw-turned"));
    OneKernel said("layer_1/param_0", "layer_1/param_1", "oihw", turned,
                   turned ? "layout: oihw-turned\n" : "layout: oihw\n");
    said.check({{"nb_layers", ""}});
  }
  OneKernel first("c/c_W:0", "c/c_b:0", "oihw", true);
  first.put_hdf5({{"keras_version", "1.2.2"}, {"model_config", model_config("th")}});
  CHECK(contains(first.refused_mine(), "turned by 180 degrees"));
}

TEST_CASE("names of files that were handed round say it, too") {
  struct Case {
    const char* name;
    const char* axes;
    bool turned;
  };
  for (const Case& known : {Case{"vgg19_weights_th_dim_ordering_th_kernels.h5", "oihw", true},
                            Case{"vgg19_weights_th_dim_ordering_tf_kernels_notop.h5", "oihw", false},
                            Case{"vgg19_weights_tf_dim_ordering_th_kernels.h5", "hwio", true},
                            Case{"vgg19_weights_tf_dim_ordering_tf_kernels.h5", "hwio", false}}) {
    OneKernel file("c/c_W_1:0", "c/c_b_1:0", known.axes, known.turned);
    file.file = file.folder / known.name;
    file.check();
  }
}

TEST_CASE("an HDF5 file of nobody's asks") {
  OneKernel file("first/w", "first/c", "oihw", false);
  file.put_hdf5();
  CHECK(contains(file.refused_mine(), "say layout: hwio"));
  for (const char* axes : {"oihw", "hwio", "ohwi", "whio", "iohw"})
    OneKernel("first/w", "first/c", axes, false, std::string("layout: ") + axes + "\n").check();
}

TEST_CASE("PyTorch's are OIHW") {
  OneKernel file("first.weight", "first.bias", "oihw", false);
  file.put_torch();
  file.import_mine();
  CHECK(file.error_of("first.weight", file.right) == 0);
}

TEST_CASE("a layout that is none is answered with what there is") {
  const std::string mistakes = mistakes_of(
      "name: x\ninput: {mean: [0, 0, 0]}\nlayout: nhwc\nweights: {file: x}\nlayers: [{conv: a, in: 3, out: "
      "4}]\n");
  CHECK(contains(mistakes, "network.yaml:3:9: error: 'layout' takes the order of a kernel's dimensions"));
  CHECK(contains(mistakes, "hwio for Keras and TensorFlow"));
}

TEST_CASE("what a Keras model says of its layers counts") {
  const auto model = [](const std::string& layer, const std::string& next) {
    return R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "Conv2D", "config": {"name": "conv",
            "padding": "same", )" +
           layer + "}}" + next + "]}}";
  };
  const auto bn =
      std::string(R"(, {"class_name": "BatchNormalization", "config": {"name": "bn", "epsilon": 0.125}})");
  const auto relu =
      std::string(R"(, {"class_name": "Activation", "config": {"name": "r", "activation": "relu"}})");
  const auto with = [&](const std::string& config, bool norm) {
    auto file = std::make_unique<OneKernel>("conv/conv/kernel:0", "conv/conv/bias:0", "hwio", false);
    if (norm) file->add_keras_norm("bn/bn", 3);
    file->put_hdf5({{"keras_version", "2.4.0"}, {"backend", "tensorflow"}, {"model_config", config}});
    return file;
  };
  with(model(R"("activation": "relu")", ""), false)->import_mine();
  CHECK(contains(with(model(R"("activation": "elu")", ""), false)->refused_mine(), "is activated by elu"));
  CHECK(contains(with(model(R"("activation": "relu", "strides": [2, 2])", ""), false)->refused_mine(),
                 "has a stride"));
  CHECK(contains(with(model(R"("activation": "relu")", bn), true)->refused_mine(),
                 "is followed by a BatchNormalization 'bn' after its ReLU"));
  const auto rescaled =
      std::string(R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "Rescaling",
      "config": {"name": "scale", "scale": 0.004}}, {"class_name": "Conv2D", "config": {"name": "conv", "padding": "same",
      "activation": "relu"}}]}})");
  CHECK(contains(with(rescaled, false)->refused_mine(), "comes after a Rescaling 'scale'"));
  const auto slope = std::string(R"(, {"class_name": "LeakyReLU", "config": {"name": "l"}})");
  CHECK(contains(with(model(R"("activation": "linear")", slope), false)->refused_mine(),
                 "is followed by a LeakyReLU"));
  const auto file = with(model(R"("activation": "linear")", bn + relu), true);
  CHECK(file->import_mine().folded_batch_norms == 1);
  std::vector<float> oihw;
  for (const double value : file->right) oihw.push_back(static_cast<float>(value));
  const Folded right = folded(oihw, file->values("conv/conv/bias:0"), file->values("bn/bn/gamma:0"),
                              file->values("bn/bn/beta:0"), file->values("bn/bn/moving_mean:0"),
                              file->values("bn/bn/moving_variance:0"), 0.125);
  CHECK(file->error_of("conv/conv/kernel:0", right.weight) < 1e-6);
  CHECK(file->error_of("conv/conv/bias:0", right.bias) < 1e-6);
}

TEST_CASE("optimiser moments under the layers' names are no second kernel") {
  MadeFile file;
  for (const char* module : {"block1_conv1", "block1_conv2"}) {
    const std::int64_t in = std::string(module) == "block1_conv1" ? 3 : 4;
    const std::string name = module;
    file.add("model_weights/" + name + "/" + name + "/kernel:0", {3, 3, in, 4});
    file.add("model_weights/" + name + "/" + name + "/bias:0", {4});
    for (const char* moment : {"m", "v"}) {
      file.add("optimizer_weights/training/Adam/" + name + "/kernel/" + moment + ":0", {3, 3, in, 4});
      file.add("optimizer_weights/Adam/" + std::string(moment) + "/" + name + "/kernel:0", {3, 3, in, 4});
      file.add("optimizer_weights/Adam/" + std::string(moment) + "/" + name + "/bias:0", {4});
    }
  }
  file.put_network("  - {conv: conv1_1, in: 3, out: 4}\n  - {conv: conv1_2, in: 4, out: 4}\n");
  file.put_hdf5();
  CHECK(file.import_mine().prefix == "model_weights/ (the only one)");
  CHECK(file.imported("conv1_2.bias") == file.values("model_weights/block1_conv2/block1_conv2/bias:0"));
}

TEST_CASE("a user block in front of HDF5 is passed over") {
  for (const int size : {512, 1024, 4096}) {
    OneKernel file("conv/conv/kernel:0", "conv/conv/bias:0", "hwio", false);
    file.put_hdf5({}, size);
    file.import_mine();
    CHECK(file.error_of(file.name, file.right) == 0);
  }
}

TEST_CASE("Keras 3's own names are recognised for a network without a mapping") {
  MadeFile file;
  file.add("layers/conv2d/vars/0", {3, 3, 3, 4});
  file.add("layers/conv2d/vars/1", {4});
  file.add("layers/conv2d_1/vars/0", {3, 3, 4, 5});
  file.add("layers/conv2d_1/vars/1", {5});
  file.put_network("  - {conv: conv1_1, in: 3, out: 4}\n  - {conv: conv1_2, in: 4, out: 5}\n");
  file.put_hdf5();
  CHECK(contains(file.import_mine().format, "Keras's counted names"));
  CHECK(file.imported("conv1_2.bias") == file.values("layers/conv2d_1/vars/1"));
}

TEST_CASE("a .keras file is its weights and what its configuration says of them") {
  const auto config = [](const std::string& activation) {
    return R"({"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [
      {"class_name": "InputLayer", "config": {"name": "input"}},
      {"class_name": "Conv2D", "config": {"name": "first", "activation": ")" +
           activation + R"(", "padding": "same", "kernel_size": [3, 3]}},
      {"class_name": "BatchNormalization", "config": {"name": "norm", "epsilon": 0.125}},
      {"class_name": "ReLU", "config": {"name": "relu", "max_value": null, "negative_slope": 0.0, "threshold": 0.0}}]}})";
  };
  OneKernel file("layers/conv2d/vars/0", "layers/conv2d/vars/1", "hwio", false);
  for (int part = 0; part < 4; ++part)
    file.add("layers/batch_normalization/vars/" + std::to_string(part), {3}, {0.5F, 1.0F, 2.0F});
  file.put_hdf5();
  const std::string weights = get_bytes(file.file);
  put_bytes(
      file.file,
      zip_bytes({{"metadata.json", "{}"}, {"config.json", config("linear")}, {"model.weights.h5", weights}}));
  const ImportReport report = file.import_mine();
  CHECK(contains(report.format, "a Keras 3 file"));
  CHECK(report.folded_batch_norms == 1);
  std::vector<float> kernel;
  for (const double value : file.right) kernel.push_back(static_cast<float>(value));
  const std::vector<float> three = {0.5F, 1.0F, 2.0F};
  const Folded right = folded(kernel, file.values("layers/conv2d/vars/1"), three, three, three, three, 0.125);
  CHECK(file.error_of(file.name, right.weight) < 1e-6);
  std::filesystem::remove(file.out);
  put_bytes(file.file, zip_bytes({{"config.json", config("relu")}, {"model.weights.h5", weights}}));
  CHECK(contains(file.refused_mine(), "after its ReLU"));
  put_bytes(file.file,
            zip_bytes({{"config.json", config("linear")}, {"model.weights.h5", weights.substr(0, 900)}}));
  CHECK(contains(file.refused_mine(), file.file + ": is damaged"));
}
