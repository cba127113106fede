// Grade and Sharpen: from a picture to a picture of the same size.
#include <fmt/format.h>

#include "framework/graph/lower.h"
#include "framework/ops/host_function.h"
#include "nodes/image/grade.h"
#include "nodes/image/image_nodes.h"
#include "nodes/image/picture.h"
#include "nodes/image/sharpen.h"

namespace gramflow {

template <class Visitor>
void visit_parameters(Visitor& visitor, Grading& parameters) {
  visitor("exposure", parameters.exposure, "in stops: 1 doubles the light, -1 halves it", at_least(-20),
          at_most(20));
  visitor("contrast", parameters.contrast, "slope around middle grey; below 1: flatter", at_least(0),
          at_most(100));
  visitor("saturation", parameters.saturation, "0: grey, above 1: more colourful", at_least(0), at_most(100));
  visitor("gamma", parameters.gamma, "above 1: brighter middle tones", at_least(0.01), at_most(100));
}

namespace {

struct SharpenParameters {
  double radius = 1;
  double amount = 0.5;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, SharpenParameters& parameters) {
  visitor("radius", parameters.radius, "of the blur that tells what is fine, in pixels (standard deviation)",
          at_least(0.1), at_most(200));
  visitor("amount", parameters.amount, "how much of what is fine is added; below 0: taken away", at_least(-1),
          at_most(20));
}

void emit_picture(LowerContext& context, HostFunction::Description description) {
  const TensorId image = context.input("image")->tensor;
  description.kind = context.node().type->name;
  description.outputs = {context.desc(image)};
  PortValue value;
  value.tensor = context.emit(std::make_shared<HostFunction>(std::move(description)), {image}).front();
  context.set_output("", std::move(value));
}

void lower_grade(LowerContext& context) {
  HostFunction::Description description;
  description.run = [grading = context.parameters<Grading>()](const Bindings& memory) {
    grade(memory.inputs[0].floats(), memory.outputs[0].floats(), grading);
  };
  emit_picture(context, std::move(description));
}

void lower_sharpen(LowerContext& context) {
  const auto& parameters = context.parameters<SharpenParameters>();
  const Sharpener sharpener(picture_size(context.desc(context.input("image")->tensor).shape),
                            parameters.radius, parameters.amount);
  HostFunction::Description description;
  description.attributes = fmt::format("radius {}", parameters.radius);
  description.scratch_bytes = sharpener.scratch_floats() * sizeof(float);
  description.run = [sharpener](const Bindings& memory) {
    sharpener.run(memory.inputs[0].floats(), memory.outputs[0].floats(),
                  {static_cast<float*>(memory.scratch), sharpener.scratch_floats()});
  };
  emit_picture(context, std::move(description));
}

}  // namespace

NodeType grade_node() {
  NodeType type;
  type.name = "Grade";
  type.theme = "image";
  type.summary = "Exposure, contrast, saturation and gamma of a picture.";
  type.formula =
      "exposure on linear light; v = luma + saturation * (v - luma); v = 0.5 + contrast * (v - 0.5); "
      "v = sign(v) |v|^(1/gamma)";
  type.inputs = {{"image", PortKind::picture, "the picture"}};
  type.outputs = {{"", PortKind::picture, "of the same size"}};
  type.parameters = ParameterSchema::of<Grading>();
  type.lower = lower_grade;
  return type;
}

NodeType sharpen_node() {
  NodeType type;
  type.name = "Sharpen";
  type.theme = "image";
  type.summary = "Brings out fine detail by unsharp masking.";
  type.formula =
      "image + amount * (image - blur(image)), blur: Gaussian of the radius; Save cuts off at 0 and 1";
  type.inputs = {{"image", PortKind::picture, "the picture"}};
  type.outputs = {{"", PortKind::picture, "of the same size"}};
  type.parameters = ParameterSchema::of<SharpenParameters>();
  type.lower = lower_sharpen;
  return type;
}

}  // namespace gramflow
