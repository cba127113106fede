#include <algorithm>

#include "framework/graph/lower.h"
#include "framework/ops/channel_moments.h"
#include "framework/ops/gram.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {

/// What a Gram matrix is divided by. Gatys' is half of a definition: with it, StyleLoss's mean of squares is
/// his 1 / (4 N^2 M^2) sum of squares, N = C and M = H W.
enum class GramDivisor { chw, hw, gatys };
inline auto enum_names(GramDivisor) {
  return std::vector<std::pair<std::string, GramDivisor>>{
      {"chw", GramDivisor::chw}, {"hw", GramDivisor::hw}, {"gatys", GramDivisor::gatys}};
}

namespace {

struct GramParameters {
  std::vector<std::string> layers;
  GramDivisor divide_by = GramDivisor::chw;
};

/// From the engine's 1 / (C H W).
double factor_of(GramDivisor divisor, std::int64_t channels) {
  const auto count = static_cast<double>(channels);
  return divisor == GramDivisor::chw ? 1 : divisor == GramDivisor::hw ? count : count / 2;
}

template <class Visitor>
void visit_parameters(Visitor& visitor, GramParameters& parameters) {
  visitor("layers", parameters.layers,
          "layers to take Gram matrices of; default: those that consumers ask for");
  visitor(
      "divide_by", parameters.divide_by,
      "chw: channels times positions, as d2l and jcjohnson; hw: positions, as crowsonkb; gatys: twice the "
      "positions, so that StyleLoss is the paper's 1 / (4 N^2 M^2) sum (G - T)^2");
}

void demand_gram(DemandContext& context) {
  const std::vector<LayerDemand> listed = context.listed("layers");
  for (const LayerDemand& layer : listed.empty() ? context.demanded() : listed)
    context.demand("features", layer);
}

void lower_gram(LowerContext& context) {
  const auto& parameters = context.parameters<GramParameters>();
  const auto& wanted = parameters.layers;
  PortValue grams;
  grams.made_by = context.input("features")->made_by;
  for (const LayerTensor& feature : context.input("features")->layers) {
    const auto& asked = context.demanded();
    const bool taken = wanted.empty()
                           ? std::any_of(asked.begin(), asked.end(),
                                         [&](const LayerDemand& d) { return d.layer == feature.layer; })
                           : std::find(wanted.begin(), wanted.end(), feature.layer) != wanted.end();
    if (!taken) continue;
    LayerTensor gram{feature.layer};
    gram.tensor = context.emit(std::make_shared<Gram>(), {feature.tensor}, feature.layer).front();
    // What only some style losses read; dropped where nobody does.
    const std::vector<TensorId> moments =
        context.emit(std::make_shared<ChannelMoments>(), {feature.tensor}, feature.layer + " moments");
    gram.mean = moments[ChannelMoments::mean];
    gram.mean_square = moments[ChannelMoments::mean_square];
    gram.factor = factor_of(parameters.divide_by, context.desc(feature.tensor).shape.channels);
    grams.layers.push_back(std::move(gram));
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
  type.formula = "G = F F^T / (C H W), F the C x (H W) matrix of a layer's features; or what divide_by says";
  type.inputs = {{"features", PortKind::features, "from a VGGExtract node"}};
  type.outputs = {{"", PortKind::grams, "a C x C matrix for each layer"}};
  type.parameters = ParameterSchema::of<GramParameters>();
  type.demand = demand_gram;
  type.lower = lower_gram;
  return type;
}

}  // namespace gramflow
