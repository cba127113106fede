#include "framework/ops/squared_error.h"
#include "nodes/loss/layer_pairs.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {
namespace {

struct StyleLossParameters : LayerLossParameters {};

template <class Visitor>
void visit_parameters(Visitor& visitor, StyleLossParameters& parameters) {
  visitor("weight", parameters.weight, "factor of the whole loss", at_least(0.0));
  visitor("layers", parameters.layers, "layers to compare; default: all that 'target' has");
  visitor("layer_weights", parameters.layer_weights,
          "factor of single layers, by name; 1 for those not named");
}

}  // namespace

NodeType style_loss_node() {
  NodeType type;
  type.name = "StyleLoss";
  type.theme = "loss";
  type.summary =
      "How far Gram matrices are from those of the style picture: colours, strokes and textures, wherever "
      "they are.";
  type.formula = "weight * sum over layers of layer_weight * mean((G - T)^2)";
  type.inputs = {{"gram", PortKind::grams, "of the canvas"},
                 {"target", PortKind::grams, "of the style picture"}};
  type.outputs = {{"", PortKind::loss, "for an optimiser"}};
  type.parameters = ParameterSchema::of<StyleLossParameters>();
  type.demand = [](DemandContext& context) { demand_layer_pairs(context, "gram"); };
  type.lower = [](LowerContext& context) {
    for (const LayerPair& pair : layer_pairs(context, context.parameters<StyleLossParameters>(), "gram"))
      context.add_loss(context
                           .emit(std::make_shared<SquaredError>(pair.weight),
                                 {pair.value.tensor, pair.targets.front().tensor}, pair.layer)
                           .front(),
                       pair.layer);
  };
  return type;
}

}  // namespace gramflow
