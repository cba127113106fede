#include <algorithm>

#include "framework/graph/lower.h"
#include "framework/ops/gram.h"
#include "nodes/features/feature_nodes.h"

namespace gramflow {
namespace {

struct GramParameters {
  std::vector<std::string> layers;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, GramParameters& parameters) {
  visitor("layers", parameters.layers,
          "layers to take Gram matrices of; default: those that consumers ask for");
}

void demand_gram(DemandContext& context) {
  const std::vector<LayerDemand> listed = context.listed("layers");
  for (const LayerDemand& layer : listed.empty() ? context.demanded() : listed)
    context.demand("features", layer);
}

void lower_gram(LowerContext& context) {
  const auto& wanted = context.parameters<GramParameters>().layers;
  PortValue grams;
  for (const LayerTensor& feature : context.input("features")->layers) {
    const auto& asked = context.demanded();
    const bool taken = wanted.empty()
                           ? std::any_of(asked.begin(), asked.end(),
                                         [&](const LayerDemand& d) { return d.layer == feature.layer; })
                           : std::find(wanted.begin(), wanted.end(), feature.layer) != wanted.end();
    if (taken)
      grams.layers.push_back(
          {feature.layer, context.emit(std::make_shared<Gram>(), {feature.tensor}, feature.layer).front()});
  }
  context.set_output("", std::move(grams));
}

}  // namespace

NodeType gram_node() {
  NodeType type;
  type.name = "Gram";
  type.theme = "features";
  type.summary =
      "Gram matrices of feature maps: which features occur together, wherever they are. The style of a "
      "picture.";
  type.formula = "G = F F^T / (C H W), F the C x (H W) matrix of a layer's features";
  type.inputs = {{"features", PortKind::features, "from a VGGExtract node"}};
  type.outputs = {{"", PortKind::grams, "a C x C matrix for each layer"}};
  type.parameters = ParameterSchema::of<GramParameters>();
  type.demand = demand_gram;
  type.lower = lower_gram;
  return type;
}

}  // namespace gramflow
