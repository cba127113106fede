// Rotate: quarter turns. Every pixel moves as a whole, so nothing is lost and three more turns bring it back.
#include <fmt/format.h>

#include "framework/base/parallel.h"
#include "framework/graph/lower.h"
#include "framework/ops/host_function.h"
#include "nodes/image/image_nodes.h"

namespace gramflow {
namespace {

struct RotateParameters {
  int turns = 1;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, RotateParameters& parameters) {
  visitor("turns", parameters.turns, "quarter turns clockwise", at_least(1), at_most(3));
}

/// Each row of the result reads a row or a column.
void rotate(const TensorView& from, const TensorView& to, int turns) {
  const Shape in = from.shape();
  const Shape out = to.shape();
  parallel_for(out.height, [&](std::int64_t y, int) {
    float* pixel = to.f32() + y * out.width * out.channels;
    for (std::int64_t x = 0; x < out.width; ++x, pixel += out.channels) {
      const std::int64_t row = turns == 1 ? in.height - 1 - x : turns == 2 ? in.height - 1 - y : x;
      const std::int64_t column = turns == 1 ? y : turns == 2 ? in.width - 1 - x : in.width - 1 - y;
      std::copy_n(from.f32() + (row * in.width + column) * in.channels, in.channels, pixel);
    }
  });
}

void lower_rotate(LowerContext& context) {
  const int turns = context.parameters<RotateParameters>().turns;
  const PortValue& input = *context.input("image");
  const TensorDesc desc = context.desc(input.tensor);
  Shape turned = desc.shape;
  if (turns != 2) std::swap(turned.height, turned.width);
  HostFunction::Description description;
  description.kind = "Rotate";
  description.attributes = fmt::format("{} degrees", 90 * turns);
  description.outputs = {{turned, desc.type}};
  description.run = [turns](const Bindings& memory) { rotate(memory.inputs[0], memory.outputs[0], turns); };
  PortValue value;
  value.tensor = context.emit(std::make_shared<HostFunction>(std::move(description)), {input.tensor}).front();
  context.set_output("", std::move(value));
}

}  // namespace

NodeType rotate_node() {
  NodeType type;
  type.name = "Rotate";
  type.theme = "image";
  type.summary =
      "Turns a picture by quarter turns. Turned copies of a style beside it give strokes in all directions.";
  type.formula = "one turn: result[y][x] = image[height - 1 - x][y]";
  type.inputs = {{"image", PortKind::picture, "the picture"}};
  type.outputs = {{"", PortKind::picture, "width and height change places with 1 and 3 turns"}};
  type.parameters = ParameterSchema::of<RotateParameters>();
  type.lower = lower_rotate;
  return type;
}

}  // namespace gramflow
