#include "framework/graph/unused_parameter.h"
#include "framework/ops/host_function.h"
#include "nodes/image/image_nodes.h"
#include "nodes/image/noise.h"
#include "nodes/image/picture_parameters.h"

namespace gramflow {

inline auto enum_names(NoiseKind) {
  return std::vector<std::pair<std::string, NoiseKind>>{{"uniform", NoiseKind::uniform},
                                                        {"bell", NoiseKind::bell}};
}

namespace {

struct NoiseParameters {
  WantedSize size;
  std::uint64_t seed = 0;
  NoiseKind kind = NoiseKind::uniform;
  double mean = 0.5;
  double deviation = 0.28867513;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, NoiseParameters& parameters) {
  visitor("size", parameters.size,
          "[width, height], or one number for a square; default: the size of 'like'");
  visitor("seed", parameters.seed, "the same seed gives the same noise on every machine");
  visitor("kind", parameters.kind, "uniform, or bell: close to normal");
  visitor("mean", parameters.mean, "average value", at_least(0.0), at_most(1.0));
  visitor("deviation", parameters.deviation, "standard deviation; values are cut off at 0 and 1",
          at_least(0.0), at_most(1.0));
}

void lower_noise(LowerContext& context) {
  const auto& parameters = context.parameters<NoiseParameters>();
  const PortValue* like = context.input("like");
  const bool sized = parameters.size != WantedSize{};
  if (!sized && like == nullptr) {
    context.diagnostics()
        .error("missing-parameter", context.node().entry.id_span,
               "Noise '" + context.node().id() + "' has no size")
        .suggest("give it 'size: [width, height]', or 'like: NODE' for the size of another picture");
    return;
  }
  PictureSize size;
  if (like != nullptr)
    size = target_size(parameters.size, picture_size(context.desc(like->tensor).shape));
  else
    size = target_size(parameters.size, {1, 1});
  NoiseOptions options;
  options.seed = parameters.seed;
  options.kind = parameters.kind;
  options.mean = static_cast<float>(parameters.mean);
  options.deviation = static_cast<float>(parameters.deviation);
  HostFunction::Description description;
  description.kind = "Noise";
  description.outputs = {{size.shape(), ElementType::f32}};
  const PortValue* colors = context.input("colors");
  description.run = [size, options, colored = colors != nullptr](const Bindings& memory) {
    NoiseOptions now = options;
    if (colored) now.colors = color_statistics(memory.inputs[0].floats());
    noise(memory.outputs[0].floats(), size, now);
  };
  if (colors != nullptr)
    for (const char* key : {"mean", "deviation"})
      warn_unused_parameter(context, key, "colors",
                            std::string("'") + key + "' has no effect beside 'colors'");
  std::vector<TensorId> inputs;
  if (colors != nullptr) inputs.push_back(colors->tensor);
  PortValue value;
  value.tensor = context.emit(std::make_shared<HostFunction>(std::move(description)), inputs).front();
  context.set_output("", std::move(value));
}

}  // namespace

NodeType noise_node() {
  NodeType type;
  type.name = "Noise";
  type.theme = "image";
  type.summary = "A picture of seeded noise, to start from; with a deviation of 0 a plain grey.";
  type.inputs = {
      {"like", PortKind::picture, "a picture whose size it takes", false},
      {"colors", PortKind::picture,
       "a picture whose mean and deviation it takes, channel by channel, instead of 'mean' and 'deviation'",
       false}};
  type.outputs = {{"", PortKind::picture, "every value independent, in [0, 1]"}};
  type.parameters = ParameterSchema::of<NoiseParameters>();
  type.lower = lower_noise;
  return type;
}

}  // namespace gramflow
