// StyleLoss: Gram matrices, or the distributions that Gram nodes measure beside them. Several targets are
// blended before they are compared: moments may be averaged, distances may not.
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "framework/ops/blend.h"
#include "framework/ops/wasserstein.h"
#include "nodes/loss/layer_differences.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {

enum class StyleKind { gram, w2, mean_variance };
inline auto enum_names(StyleKind) {
  return std::vector<std::pair<std::string, StyleKind>>{
      {"gram", StyleKind::gram}, {"w2", StyleKind::w2}, {"mean-variance", StyleKind::mean_variance}};
}

enum class EpsilonScale { relative, absolute };
inline auto enum_names(EpsilonScale) {
  return std::vector<std::pair<std::string, EpsilonScale>>{{"relative", EpsilonScale::relative},
                                                           {"absolute", EpsilonScale::absolute}};
}

namespace {

struct StyleLossParameters : LayerLossParameters, DifferenceParameters {
  StyleKind kind = StyleKind::gram;
  std::vector<double> target_weights;
  double epsilon = 1e-4;
  EpsilonScale epsilon_scale = EpsilonScale::relative;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, StyleLossParameters& parameters) {
  visitor("weight", parameters.weight, "factor of the whole loss; below 0 it is made large");
  visitor("kind", parameters.kind,
          "gram: Gram matrices; w2: means and covariances, the Wasserstein distance of two normal "
          "distributions; mean-variance: the same for each channel alone");
  visitor("layers", parameters.layers, "layers to compare; default: all that 'target' has");
  visitor("layer_weights", parameters.layer_weights,
          "factor of single layers, by name; 1 for those not named");
  visitor("target_weights", parameters.target_weights,
          "share of each target, in their order, made to add up to 1; default: equal shares", at_least(0.0));
  visitor("normalize", parameters.normalize, normalize_doc);
  visitor("relative", parameters.relative,
          "true: in units of the target (gram: its mean square; else: the mean square of its features), so "
          "that the weight means the same for any network");
  visitor("epsilon", parameters.epsilon, "w2, mean-variance: what is added to every variance", at_least(0.0));
  visitor("epsilon_scale", parameters.epsilon_scale,
          "relative: 'epsilon' is a share of the target's mean variance; absolute: it is a number");
}

/// Shares of the targets, adding up to 1; empty after reporting.
std::vector<double> target_shares(LowerContext& context, std::vector<double> weights) {
  const std::size_t targets = context.inputs("target").size();
  if (weights.empty()) return std::vector<double>(targets, 1.0 / static_cast<double>(targets));
  if (weights.size() != targets) {
    context.error("target-weights", "target_weights",
                  fmt::format("'target_weights' has {} numbers for {} target{}", weights.size(), targets,
                              targets == 1 ? "" : "s"));
    return {};
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(sum > 0)) {
    context.error("target-weights", "target_weights", "'target_weights' must not all be 0");
    return {};
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

void warn_of_unused(LowerContext& context, const StyleLossParameters& parameters) {
  const auto warn = [&](const char* key, const char* why) {
    if (context.node().value_of(key) != nullptr)
      context.diagnostics().warning("unused-parameter", context.node().span_of(key),
                                    fmt::format("'{}' has no effect {}", key, why));
  };
  if (parameters.kind == StyleKind::gram) {
    warn("epsilon", "on kind gram, which divides by no variance");
    warn("epsilon_scale", "on kind gram, which divides by no variance");
  } else {
    warn("normalize", "on distances of distributions, which are no sums of differences");
  }
}

/// One target of the layer's: the only one, or a blend of the member that `member` names.
TensorId blended(LowerContext& context, const LayerPair& pair, const std::vector<double>& shares,
                 TensorId LayerTensor::*member, const std::string& step) {
  if (pair.targets.size() == 1) return pair.targets.front().*member;
  std::vector<TensorId> tensors;
  for (const LayerTensor& target : pair.targets) tensors.push_back(target.*member);
  return context.emit(std::make_shared<Blend>(shares), std::move(tensors), pair.layer + step).front();
}

/// Matrices divided by different things cannot be subtracted.
bool same_divisor(LowerContext& context, const LayerPair& pair) {
  for (std::size_t wire = 0; wire < pair.targets.size(); ++wire) {
    if (pair.targets[wire].factor == pair.value.factor) continue;
    if (context.desc(pair.targets[wire].tensor) != context.desc(pair.value.tensor)) continue;  // said later
    context.error("gram-divisor", "target", "'gram' and 'target' are divided by different things")
        .suggest("give both Gram nodes the same 'divide_by'")
        .note("'gram' comes from '" + context.source("gram")->id() + "'",
              context.source("gram")->span_of("divide_by"))
        .note("'target' comes from '" + context.source("target", wire)->id() + "'",
              context.source("target", wire)->span_of("divide_by"));
    return false;
  }
  return true;
}

void add_distance(LowerContext& context, const LayerPair& pair, const StyleLossParameters& parameters,
                  const std::vector<double>& shares) {
  DistributionOptions options;
  options.weight = pair.weight;
  options.epsilon = parameters.epsilon;
  options.epsilon_relative = parameters.epsilon_scale == EpsilonScale::relative;
  options.relative = parameters.relative;
  const TensorId mean = blended(context, pair, shares, &LayerTensor::mean, " mean");
  std::vector<TensorId> made;
  if (parameters.kind == StyleKind::w2) {
    const TensorId gram = blended(context, pair, shares, &LayerTensor::tensor, " blend");
    const auto root = context.emit(std::make_shared<CovarianceRoot>(options, context.desc(gram).shape.height),
                                   {gram, mean}, pair.layer + " root");
    made = context.emit(
        std::make_shared<WassersteinLoss>(options, context.desc(pair.value.tensor).shape.height),
        {pair.value.tensor, pair.value.mean, mean, root[CovarianceRoot::root], root[CovarianceRoot::numbers]},
        pair.layer);
  } else {
    const TensorId square = blended(context, pair, shares, &LayerTensor::mean_square, " square");
    made = context.emit(std::make_shared<MeanVarianceLoss>(options),
                        {pair.value.mean, pair.value.mean_square, mean, square}, pair.layer);
  }
  context.add_loss(made.front(), pair.layer);
}

void lower_style_loss(LowerContext& context) {
  const auto& parameters = context.parameters<StyleLossParameters>();
  warn_of_unused(context, parameters);
  const std::vector<double> shares = target_shares(context, parameters.target_weights);
  if (shares.empty()) return;
  const bool plain = parameters.kind == StyleKind::gram && !parameters.relative && shares.size() == 1;
  const char* what = parameters.kind != StyleKind::gram ? "a distance of distributions"
                     : parameters.relative              ? "relative: true"
                                                        : "a blend of targets";
  if (!plain && !target_stands_still(context, what)) return;
  for (const LayerPair& pair : layer_pairs(context, parameters, "gram")) {
    if (parameters.kind != StyleKind::gram) {
      add_distance(context, pair, parameters, shares);
      continue;
    }
    if (!same_divisor(context, pair)) return;
    add_difference(context, pair, blended(context, pair, shares, &LayerTensor::tensor, " blend"), parameters,
                   RelativeUnit::Of::size);
  }
}

}  // namespace

NodeType style_loss_node() {
  NodeType type;
  type.name = "StyleLoss";
  type.theme = "loss";
  type.summary =
      "How far Gram matrices are from those of the style picture: colours, strokes and textures, wherever "
      "they are.";
  type.formula =
      "gram: weight * sum over layers of layer_weight * mean(D^2), D = G - T; scaled: sum D^2 / (sum |D| + "
      "1e-8) for the mean; relative: D = (G - T) / sqrt(mean T^2)\n"
      "w2: weight * sum over layers of layer_weight * (mean (m - m_t)^2 + tr(S + S_t - 2 (S_t^1/2 S "
      "S_t^1/2)^1/2) / C), m and S: mean and covariance of the features\n"
      "mean-variance: weight * sum over layers of layer_weight * (mean (m - m_t)^2 + mean (s - s_t)^2), s: "
      "standard deviation by channel";
  type.inputs = {
      {"gram", PortKind::grams, "of the canvas"},
      {"target", PortKind::grams,
       "of the style picture; a list is blended by 'target_weights': a style between styles", true, true}};
  type.outputs = {{"", PortKind::loss, "for an optimiser"}};
  type.parameters = ParameterSchema::of<StyleLossParameters>();
  type.demand = [](DemandContext& context) { demand_layer_pairs(context, "gram"); };
  type.lower = lower_style_loss;
  return type;
}

}  // namespace gramflow
