#include "framework/ops/squared_error.h"
#include "nodes/loss/layer_pairs.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {
namespace {

struct ContentLossParameters : LayerLossParameters {};

template <class Visitor>
void visit_parameters(Visitor& visitor, ContentLossParameters& parameters) {
  visitor("weight", parameters.weight, "factor of the whole loss", at_least(0.0));
  visitor("layers", parameters.layers, "layers to compare; default: all that 'target' has");
  visitor("layer_weights", parameters.layer_weights,
          "factor of single layers, by name; 1 for those not named");
}

}  // namespace

NodeType content_loss_node() {
  NodeType type;
  type.name = "ContentLoss";
  type.theme = "loss";
  type.summary = "How far features are from those of the content picture: what is shown, and where.";
  type.formula = "weight * sum over layers of layer_weight * mean((F - T)^2)";
  type.inputs = {{"features", PortKind::features, "of the canvas"},
                 {"target", PortKind::features, "of the content picture"}};
  type.outputs = {{"", PortKind::loss, "for an optimiser"}};
  type.parameters = ParameterSchema::of<ContentLossParameters>();
  type.demand = [](DemandContext& context) { demand_layer_pairs(context, "features"); };
  type.lower = [](LowerContext& context) {
    for (const LayerPair& pair :
         layer_pairs(context, context.parameters<ContentLossParameters>(), "features"))
      context.add_loss(context
                           .emit(std::make_shared<SquaredError>(pair.weight),
                                 {pair.value.tensor, pair.targets.front().tensor}, pair.layer)
                           .front(),
                       pair.layer);
  };
  return type;
}

}  // namespace gramflow
