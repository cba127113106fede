// The whole program against float64 references from PyTorch: VGG-19 with formula weights, as a pipeline that
// a user could write.
//
//   content -> features ----------------------------.
//   style ---> features -> Gram -.                   content loss -.
//   canvas --> features -> Gram -+- style loss -------------------- +- optimiser
//      '------------------------------------- total variation -----'
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "nodes/weights/safetensors.h"
#include "tests/support/formula.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

using Json = nlohmann::json;

struct ConvolutionShape {
  const char* name;
  int in;
  int out;
};
constexpr ConvolutionShape convolutions[] = {
    {"conv1_1", 3, 64},    {"conv1_2", 64, 64},   {"conv2_1", 64, 128},  {"conv2_2", 128, 128},
    {"conv3_1", 128, 256}, {"conv3_2", 256, 256}, {"conv3_3", 256, 256}, {"conv3_4", 256, 256},
    {"conv4_1", 256, 512}, {"conv4_2", 512, 512}, {"conv4_3", 512, 512}, {"conv4_4", 512, 512},
    {"conv5_1", 512, 512}};

/// A folder with a network "golden" of formula weights.
class GoldenNetwork {
 public:
  GoldenNetwork(int seed, const std::string& pool) {
    std::string yaml =
        "name: golden\nsummary: VGG-19 with formula weights\n"
        "input: {order: rgb, scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}\n"
        "weights: {file: golden.safetensors}\nlayers:\n";
    std::vector<SafetensorsEntry> entries;
    int layer = 0;
    for (const ConvolutionShape& shape : convolutions) {
      if (layer == 2 || layer == 4 || layer == 8 || layer == 12)
        yaml += fmt::format("  - {{pool: pool{}, kind: {}}}\n", shape.name[4] - '1',
                            pool == "avg" ? "average" : "max");
      yaml += fmt::format("  - {{conv: {}, in: {}, out: {}}}\n", shape.name, shape.in, shape.out);
      entries.push_back({std::string(shape.name) + ".weight",
                         {shape.out, shape.in, 3, 3},
                         formula_weights(shape.in, shape.out, layer, seed)});
      entries.push_back(
          {std::string(shape.name) + ".bias", {shape.out}, formula_bias(shape.out, layer, seed)});
      ++layer;
    }
    std::ofstream(folder_ / "golden.yaml") << yaml;
    write_safetensors(folder_ / "golden.safetensors", entries, {});
  }
  NodeTypes types() const { return test_nodes(library_of(folder_.path())); }

 private:
  TemporaryFolder folder_;
};

std::string layer_list(const Json& object, const std::string& tap) {
  std::string text;
  for (const auto& [name, value] : object.items())
    text += (text.empty() ? "" : ", ") + (tap == "relu" ? "relu" + name.substr(4) : name);
  return "[" + text + "]";
}

/// One golden file with the pipeline that it describes.
struct Golden {
  explicit Golden(const std::string& name)
      : data(Json::parse(std::ifstream(GRAMFLOW_SOURCE_DIR "/tests/golden/" + name + ".json"))) {
    const Json& definition = data["definition"];
    tap = definition["tap"].get<std::string>().starts_with("relu") ? "relu" : "conv";
    const auto size = definition["content"].get<std::string>();  // image(75,50,seed 1)
    std::sscanf(size.c_str(), "image(%d,%d", &width, &height);
  }
  std::string layer(const std::string& name) const { return tap == "relu" ? "relu" + name.substr(4) : name; }

  std::string pipeline_with(const std::string& method) const {
    const Json& definition = data["definition"];
    return fmt::format(
        R"(version: 1
nodes:
  content_in: {{type: FormulaInput, network: golden, width: {w}, height: {h}, seed: 1}}
  style_in: {{type: FormulaInput, network: golden, width: {sw}, height: {sh}, seed: 2}}
  start: {{type: FormulaInput, network: golden, width: {w}, height: {h}, seed: 1, blend: 0.1, blend_seed: 3}}
  content_features: {{type: VGGExtract, network: golden, input: content_in}}
  style_features: {{type: VGGExtract, network: golden, input: style_in}}
  canvas_features: {{type: VGGExtract, network: golden, input: result.canvas}}
  style_gram: {{type: Gram, features: style_features, layers: {style}}}
  canvas_gram: {{type: Gram, features: canvas_features, layers: {style}}}
  style_loss: {{type: StyleLoss, gram: canvas_gram, target: style_gram, weight: {style_weight}}}
  content_loss: {{type: ContentLoss, features: canvas_features, target: content_features, layers: {content}, weight: {content_weight}}}
  tv_loss: {{type: TVLoss, input: result.canvas, weight: {tv_weight}}}
  result: {{type: Optimizer, start: start, loss: [content_loss, style_loss, tv_loss], {method}}}
)",
        fmt::arg("w", width), fmt::arg("h", height), fmt::arg("sw", width + 8), fmt::arg("sh", height + 6),
        fmt::arg("style", layer_list(data["at_start"]["style"], tap)),
        fmt::arg("content", layer_list(data["at_start"]["content"], tap)),
        fmt::arg("style_weight", definition["style_weight"].get<double>()),
        fmt::arg("content_weight", definition["content_weight"].get<double>()),
        fmt::arg("tv_weight", definition["tv_weight"].get<double>()), fmt::arg("method", method));
  }
  GoldenNetwork network() const {
    return {data["definition"]["seed"].get<int>(), data["definition"]["pool"].get<std::string>()};
  }

  Json data;
  std::string tap;
  int width = 0;
  int height = 0;
};

/// The tensor of a name, channels first as the golden files count.
std::vector<double> tensor_named(PreparedPlan& prepared, const std::string& name) {
  const Program& program = prepared.plan().program;
  for (std::size_t id = 0; id < program.tensors.size(); ++id) {
    const TensorView view = prepared.view(static_cast<TensorId>(id));
    if (program.tensors[id].name != name || !view) continue;
    const Shape shape = view.shape();
    std::vector<double> result;
    for (std::int64_t c = 0; c < shape.channels; ++c)
      for (std::int64_t p = 0; p < shape.pixels(); ++p)
        result.push_back(static_cast<double>(view.f32()[p * shape.channels + c]));
    return result;
  }
  FAIL("no tensor ", name);
  return {};
}

double root_mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

void check_summary(const std::vector<double>& values, const Json& expected, double rms_tolerance,
                   double element_tolerance) {
  const auto rms = expected["rms"].get<double>();
  CHECK(root_mean_square(values) == doctest::Approx(rms).epsilon(rms_tolerance));
  for (const auto& [index, value] : expected["at"].items())
    CHECK(std::abs(values.at(std::stoul(index)) - value.get<double>()) <= element_tolerance * rms);
}

/// Root mean square of the errors where the reference lists values, in units of the reference's own.
double relative_error(const std::vector<double>& values, const Json& expected) {
  std::vector<double> errors;
  for (const auto& [index, value] : expected["at"].items())
    errors.push_back(values.at(std::stoul(index)) - value.get<double>());
  return root_mean_square(errors) / expected["rms"].get<double>();
}

void check_start(const std::string& name) {
  const Golden golden(name);
  const GoldenNetwork network = golden.network();
  const NodeTypes types = network.types();
  Recorder recorder;
  RunOptions options;
  options.observers = {&recorder};
  options.after_stage = [&](Session& session) {
    PreparedPlan& prepared = session.prepared();
    for (const auto& [layer, expected] : golden.data["content_features"].items()) {
      if (!golden.data["at_start"]["content"].contains(layer)) continue;
      check_summary(tensor_named(prepared, "content_features/" + golden.layer(layer)), expected, 1e-4, 1e-4);
    }
    for (const auto& [layer, expected] : golden.data["style_grams"].items())
      check_summary(tensor_named(prepared, "style_gram/" + golden.layer(layer)), expected, 1e-4, 1e-4);
    const TensorView gradient = session.gradient();
    std::vector<double> channels_first;
    for (int c = 0; c < 3; ++c)
      for (std::int64_t p = 0; p < gradient.shape().pixels(); ++p)
        channels_first.push_back(static_cast<double>(gradient.f32()[p * 3 + c]));
    const Json& expected = golden.data["at_start"]["gradient"];
    check_summary(channels_first, expected, 1e-4, 1e-3);
    CHECK(relative_error(channels_first, expected) < 2e-5);
    CHECK(
        recorder.iterations()[0].gradient_norm ==
        doctest::Approx(expected["rms"].get<double>() * std::sqrt(static_cast<double>(channels_first.size())))
            .epsilon(1e-4));
  };
  run(golden.pipeline_with("method: adam, learning_rate: 0.3, iterations: 1, clamp: false, epsilon: 1.0e-8"),
      types, options);
  const Json& start = golden.data["at_start"];
  for (const auto& [layer, value] : start["content"].items())
    CHECK(recorder.loss(0, "content_loss/" + golden.layer(layer)) ==
          doctest::Approx(value.get<double>()).epsilon(1e-4));
  for (const auto& [layer, value] : start["style"].items())
    CHECK(recorder.loss(0, "style_loss/" + golden.layer(layer)) ==
          doctest::Approx(value.get<double>()).epsilon(1e-4));
  CHECK(recorder.loss(0, "tv_loss") == doctest::Approx(start["tv"].get<double>()).epsilon(1e-4));
  CHECK(recorder.iterations()[0].total == doctest::Approx(start["total"].get<double>()).epsilon(1e-4));
}

}  // namespace

TEST_CASE(
    "features, Gram matrices, losses and gradient at the start agree with float64: taps after ReLU, max "
    "pooling") {
  check_start("vgg19-relu-max");
}
TEST_CASE("the same for taps before ReLU") { check_start("vgg19-conv-max"); }
TEST_CASE("the same for average pooling, other layers and other weights") {
  check_start("vgg19-relu-avg-swapped");
}

TEST_CASE("ten Adam steps follow the float64 curve") {
  for (const char* name : {"vgg19-relu-max", "vgg19-conv-max", "vgg19-relu-avg-swapped"}) {
    const Golden golden(name);
    const GoldenNetwork network = golden.network();
    Recorder recorder;
    run(golden.pipeline_with(
            "method: adam, learning_rate: 0.3, iterations: 10, clamp: false, epsilon: 1.0e-8"),
        network.types(), {.observers = {&recorder}});
    for (const Json& step : golden.data["adam_lr_0.3"]["losses_before_each_step"])
      CHECK(recorder.iterations().at(step["step"].get<std::size_t>()).total ==
            doctest::Approx(step["total"].get<double>()).epsilon(1e-3));
  }
}

TEST_CASE("L-BFGS gets as far in ten iterations with at most a quarter more evaluations") {
  for (const char* name : {"vgg19-relu-max", "vgg19-conv-max", "vgg19-relu-avg-swapped"}) {
    const Golden golden(name);
    const GoldenNetwork network = golden.network();
    Recorder recorder;
    run(golden.pipeline_with("method: lbfgs, history: 10, iterations: 11, clamp: false"), network.types(),
        {.observers = {&recorder}});
    const Json& expected = golden.data["lbfgs_strong_wolfe_history_10"];
    int evaluations = 0;
    for (std::size_t i = 0; i < 10; ++i) evaluations += recorder.iterations().at(i).evaluations;
    CHECK(recorder.iterations().at(10).total <= 1.02 * expected["total_after"].get<double>());
    CHECK(evaluations <= 1.25 * expected["evaluations"].get<double>());
  }
}
