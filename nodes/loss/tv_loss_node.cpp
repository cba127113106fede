#include "framework/graph/lower.h"
#include "framework/ops/total_variation.h"
#include "framework/ops/variation.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {

inline auto enum_names(VariationKind) {
  return std::vector<std::pair<std::string, VariationKind>>{
      {"l1", VariationKind::l1}, {"l2", VariationKind::l2}, {"nine-point", VariationKind::nine_point}};
}

namespace {

struct TvLossParameters {
  double weight = 1;
  VariationKind kind = VariationKind::l1;
  bool relative = false;
};

OpPtr variation_of(const TvLossParameters& parameters, const InputSpace& space) {
  if (parameters.kind == VariationKind::l1 && !parameters.relative)
    return std::make_shared<TotalVariation>(parameters.weight);
  ChannelScales scales = {1, 1, 1};
  for (std::size_t c = 0; c < 3 && parameters.relative; ++c)
    scales[c] = 1 / static_cast<double>(space.high[c] - space.low[c]);
  return std::make_shared<Variation>(parameters.kind, parameters.weight, scales);
}

template <class Visitor>
void visit_parameters(Visitor& visitor, TvLossParameters& parameters) {
  visitor("weight", parameters.weight, "factor of the loss; below 0 it is made large");
  visitor(
      "kind", parameters.kind,
      "l1: magnitudes, keeps edges; l2: squares, softer; nine-point: squares, the same in all directions");
  visitor("relative", parameters.relative,
          "true: differences of picture values (0 to 1) instead of the network's numbers, so that the weight "
          "means the same for any network");
}

}  // namespace

NodeType tv_loss_node() {
  NodeType type;
  type.name = "TVLoss";
  type.theme = "loss";
  type.summary =
      "Total variation: how much neighbouring pixels differ. Keeps the picture from getting noisy.";
  type.formula =
      "l1: weight / 2 * (mean |x[row+1] - x[row]| + mean |x[column+1] - x[column]|)\n"
      "l2: weight / 2 * (mean (x[row+1] - x[row])^2 + mean (x[column+1] - x[column])^2)\n"
      "nine-point: weight * 2 * (mean dx^2 / 3 + mean dy^2 / 3 + mean d1^2 / 12 + mean d2^2 / 12), d1 and d2 "
      "along the diagonals, edges repeated";
  type.inputs = {{"input", PortKind::network_input, "the canvas", true, false, {PortKind::picture}}};
  type.outputs = {{"", PortKind::loss, "for an optimiser"}};
  type.parameters = ParameterSchema::of<TvLossParameters>();
  type.lower = [](LowerContext& context) {
    const PortValue& input = *context.input("input");
    context.add_loss(
        context.emit(variation_of(context.parameters<TvLossParameters>(), input.space), {input.tensor})
            .front(),
        "");
  };
  return type;
}

}  // namespace gramflow
