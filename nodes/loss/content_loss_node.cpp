#include <fmt/format.h>

#include "nodes/loss/layer_differences.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {
namespace {

struct ContentLossParameters : LayerLossParameters, DifferenceParameters {};

template <class Visitor>
void visit_parameters(Visitor& visitor, ContentLossParameters& parameters) {
  visitor("weight", parameters.weight, "factor of the whole loss; below 0 it is made large");
  visitor("layers", parameters.layers, "layers to compare; default: all that 'target' has");
  visitor("layer_weights", parameters.layer_weights,
          "factor of single layers, by name; 1 for those not named");
  visitor("normalize", parameters.normalize, normalize_doc);
  visitor(
      "relative", parameters.relative,
      "true: in units of the target, the variance of its features over positions, so that the weight means "
      "the same for any network and 1 is a picture of nothing but means");
}

/// False after reporting pictures of two sizes, in their own pixels: those of a deep layer tell nobody anything.
bool pictures_fit(LowerContext& context) {
  const PortValue& features = *context.input("features");
  const PortValue& target = *context.input("target");
  if (features.picture_width == target.picture_width && features.picture_height == target.picture_height)
    return true;
  Diagnostic& problem = context.diagnostics().error(
      "shapes", context.node().entry.id_span,
      fmt::format("ContentLoss '{}' compares a picture of {}x{} with one of {}x{} place by place; both must "
                  "have the same size",
                  context.node().id(), features.picture_width, features.picture_height, target.picture_width,
                  target.picture_height));
  problem.suggest(fmt::format("load or Resize the picture that the canvas starts from with size: [{}, {}]",
                              target.picture_width, target.picture_height));
  for (const char* port : {"features", "target"})
    if (const Node* source = context.source(port))
      problem.note(fmt::format("'{}' comes from '{}'", port, source->id()), source->entry.id_span);
  return false;
}

void lower_content_loss(LowerContext& context) {
  const auto& parameters = context.parameters<ContentLossParameters>();
  if (!pictures_fit(context)) return;
  if (parameters.relative && !target_stands_still(context, "relative: true")) return;
  for (const LayerPair& pair : layer_pairs(context, parameters, "features"))
    add_difference(context, pair, pair.targets.front().tensor, parameters, RelativeUnit::Of::variation);
}

}  // namespace

NodeType content_loss_node() {
  NodeType type;
  type.name = "ContentLoss";
  type.theme = "loss";
  type.summary = "How far features are from those of the content picture: what is shown, and where.";
  type.formula =
      "weight * sum over layers of layer_weight * mean(D^2), D = F - T; scaled: sum D^2 / (sum |D| + 1e-8) "
      "for "
      "the mean; relative: D = (F - T) / sqrt(mean over channels of var T)";
  type.inputs = {{"features", PortKind::features, "of the canvas"},
                 {"target", PortKind::features, "of the content picture"}};
  type.outputs = {{"", PortKind::loss, "for an optimiser"}};
  type.parameters = ParameterSchema::of<ContentLossParameters>();
  type.demand = [](DemandContext& context) { demand_layer_pairs(context, "features"); };
  type.lower = lower_content_loss;
  return type;
}

}  // namespace gramflow
