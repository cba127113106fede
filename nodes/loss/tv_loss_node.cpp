#include "framework/graph/lower.h"
#include "framework/ops/total_variation.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {
namespace {

struct TvLossParameters {
  double weight = 1;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, TvLossParameters& parameters) {
  visitor("weight", parameters.weight, "factor of the loss", at_least(0.0));
}

}  // namespace

NodeType tv_loss_node() {
  NodeType type;
  type.name = "TVLoss";
  type.theme = "loss";
  type.summary =
      "Total variation: how much neighbouring pixels differ. Keeps the picture from getting noisy.";
  type.formula = "weight / 2 * (mean |x[row+1] - x[row]| + mean |x[column+1] - x[column]|)";
  type.inputs = {{"input", PortKind::network_input, "the canvas"}};
  type.outputs = {{"", PortKind::loss, "for an optimiser"}};
  type.parameters = ParameterSchema::of<TvLossParameters>();
  type.lower = [](LowerContext& context) {
    const double weight = context.parameters<TvLossParameters>().weight;
    context.add_loss(
        context.emit(std::make_shared<TotalVariation>(weight), {context.input("input")->tensor}).front(), "");
  };
  return type;
}

}  // namespace gramflow
