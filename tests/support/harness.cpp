#include "tests/support/harness.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <stdexcept>

#include "framework/compile/verify.h"
#include "framework/ops/host_function.h"
#include "nodes/networks/input_space.h"
#include "tests/support/formula.h"

namespace gramflow::test {

struct FormulaParameters {
  int width = 0;
  int height = 0;
  int seed = 0;
  double blend = 0;
  int blend_seed = 0;
  std::string network = "vgg19-mini";
};

template <class Visitor>
void visit_parameters(Visitor& visitor, FormulaParameters& parameters) {
  visitor("width", parameters.width, "in pixels", required());
  visitor("height", parameters.height, "in pixels", required());
  visitor("seed", parameters.seed, "of the picture");
  visitor("blend", parameters.blend, "share of the second picture");
  visitor("blend_seed", parameters.blend_seed, "of the second picture");
  visitor("network", parameters.network, "whose convention the numbers are in");
}

namespace {

std::vector<float> values(const FormulaParameters& p) {
  std::vector<float> image = formula_image(p.width, p.height, p.seed);
  if (p.blend == 0) return image;
  const std::vector<float> second = formula_image(p.width, p.height, p.blend_seed);
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double first_share = 1 - p.blend;
    image[i] = static_cast<float>(first_share * static_cast<double>(image[i]) +
                                  p.blend * static_cast<double>(second[i]));
  }
  return image;
}

NodeType formula_input(std::shared_ptr<NetworkLibrary> library) {
  NodeType type;
  type.name = "FormulaInput";
  type.outputs = {{"", PortKind::network_input, "by formula"}};
  type.parameters = ParameterSchema::of<FormulaParameters>();
  type.lower = [library](LowerContext& context) {
    const auto parameters = context.parameters<FormulaParameters>();
    const auto network = library->network(parameters.network, context.directory(), {}, context.diagnostics());
    HostFunction::Description description;
    description.kind = "FormulaInput";
    description.outputs = {{Shape{parameters.height, parameters.width, 3}, ElementType::f32}};
    description.run = [parameters](const Bindings& memory) {
      const std::vector<float> image = values(parameters);
      std::copy(image.begin(), image.end(), memory.outputs[0].f32());
    };
    PortValue value;
    value.tensor = context.emit(std::make_shared<HostFunction>(std::move(description)), {}).front();
    value.space = input_space(*network);
    context.set_output("", value);
  };
  return type;
}

}  // namespace

NodeTypes test_nodes(std::shared_ptr<NetworkLibrary> library) {
  NodeTypes types = standard_nodes(library);
  types.push_back(formula_input(library));
  return types;
}

std::shared_ptr<NetworkLibrary> library_of(const std::string& network_folder) {
  NetworkPaths paths;
  paths.network_folders = {network_folder};
  paths.weight_folders = {network_folder};
  return std::make_shared<NetworkLibrary>(paths);
}

std::shared_ptr<NetworkLibrary> shipped_library() {
  return library_of(GRAMFLOW_SOURCE_DIR "/configs/networks");
}

PipelineSource pipeline(const std::string& yaml, std::vector<Override> overrides) {
  return {std::make_shared<SourceFile>("test.yaml", yaml), std::move(overrides)};
}

void Recorder::iteration(const IterationReport& report) {
  Iteration kept;
  kept.total = report.total;
  kept.gradient_norm = report.gradient_norm;
  kept.evaluations = report.evaluations;
  for (const auto& loss : report.losses) {
    kept.losses.emplace_back(loss.node, loss.value);
    for (const auto& [layer, value] : loss.layers) kept.losses.emplace_back(loss.node + "/" + layer, value);
  }
  iterations_.push_back(std::move(kept));
}

double Recorder::loss(std::size_t iteration, const std::string& name) const {
  for (const auto& [known, value] : iterations_.at(iteration).losses)
    if (known == name) return value;
  throw std::out_of_range("no loss " + name);
}

std::vector<std::unique_ptr<CompiledStage>> compiled(const std::string& yaml, const NodeTypes& types,
                                                     int threads, const Devices& devices) {
  Diagnostics warnings;
  auto stages = compile_stages(pipeline(yaml), types, warnings, threads, devices);
  for (const auto& stage : stages)
    for (const std::string& problem : verify(stage->plan)) throw std::logic_error("not proven: " + problem);
  return stages;
}

RunSummary run(const std::string& yaml, const NodeTypes& types, RunOptions options, int threads,
               const Devices& devices) {
  return run_stages(compiled(yaml, types, threads, devices), options);
}

void poison_free_memory(Session& session) {
  session.before_section = [&session](int section) { session.prepared().poison(section); };
}

const std::vector<float>& result_of(const RunSummary& summary) { return summary.canvases.back().values; }

std::string small_transfer(const std::string& method, int width, int height) {
  return fmt::format(R"(version: 1
nodes:
  content_in: {{type: FormulaInput, width: {0}, height: {1}, seed: 1}}
  style_in: {{type: FormulaInput, width: {2}, height: {3}, seed: 2}}
  start: {{type: FormulaInput, width: {0}, height: {1}, seed: 1, blend: 0.1, blend_seed: 3}}
  content_features: {{type: VGGExtract, input: content_in}}
  style_features: {{type: VGGExtract, input: style_in}}
  canvas_features: {{type: VGGExtract, input: result.canvas}}
  style_gram: {{type: Gram, features: style_features, layers: [relu1_1, relu2_1, relu3_1, relu4_1, conv5_1]}}
  canvas_gram: {{type: Gram, features: canvas_features, layers: [relu1_1, relu2_1, relu3_1, relu4_1, conv5_1]}}
  style_loss: {{type: StyleLoss, gram: canvas_gram, target: style_gram, weight: 1e4}}
  content_loss: {{type: ContentLoss, features: canvas_features, target: content_features, layers: [relu4_4]}}
  tv_loss: {{type: TVLoss, input: result.canvas, weight: 10}}
  result: {{type: Optimizer, start: start, loss: [content_loss, style_loss, tv_loss], {4}}}
  save: {{type: Save, image: picture, path: unused.png}}
  picture: {{type: Postprocess, input: result}}
)",
                     width, height, width + 8, height + 6, method);
}

}  // namespace gramflow::test
