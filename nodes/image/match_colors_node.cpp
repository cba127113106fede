// MatchColors: the colours of one picture for another.
#include <fmt/format.h>

#include "framework/graph/lower.h"
#include "framework/ops/host_function.h"
#include "framework/schema/parameters.h"
#include "nodes/image/image_nodes.h"
#include "nodes/image/match_colors.h"

namespace gramflow {
namespace {

struct MatchColorsParameters {
  double share = 1;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, MatchColorsParameters& parameters) {
  visitor("share", parameters.share, "0: the picture as it is; 1: all of the other's colours", at_least(0.0),
          at_most(1.0));
}

void lower_match_colors(LowerContext& context) {
  const double share = context.parameters<MatchColorsParameters>().share;
  const TensorId image = context.input("image")->tensor;
  PortValue value;
  value.tensor = image;
  if (share > 0) {
    HostFunction::Description description;
    description.kind = "MatchColors";
    description.attributes = fmt::format("share {}", share);
    description.outputs = {context.desc(image)};
    description.run = [share](const Bindings& memory) {
      const auto from = memory.inputs[0].floats();
      apply_color_map(matching_colors(from, memory.inputs[1].floats()), share, from,
                      memory.outputs[0].floats());
    };
    value.tensor = context
                       .emit(std::make_shared<HostFunction>(std::move(description)),
                             {image, context.input("like")->tensor})
                       .front();
  }
  context.set_output("", std::move(value));
}

}  // namespace

NodeType match_colors_node() {
  NodeType type;
  type.name = "MatchColors";
  type.theme = "image";
  type.summary = "Gives a picture the colours of another one: their mean and how they spread.";
  type.formula =
      "A (p - mean) + mean', A = R^-1 (R S' R)^1/2 R^-1, R = S^1/2; S, S': covariances of RGB of image and "
      "like";
  type.inputs = {{"image", PortKind::picture, "the picture"},
                 {"like", PortKind::picture, "the picture whose colours it gets"}};
  type.outputs = {{"", PortKind::picture, "of the same size, cut off at 0 and 1"}};
  type.parameters = ParameterSchema::of<MatchColorsParameters>();
  type.lower = lower_match_colors;
  return type;
}

}  // namespace gramflow
