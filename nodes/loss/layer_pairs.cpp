#include "nodes/loss/layer_pairs.h"

#include <algorithm>

#include "framework/base/text.h"
#include "framework/ops/squared_error.h"

namespace gramflow {
namespace {

std::vector<std::string> names_of(const PortValue& value) {
  std::vector<std::string> names;
  for (const LayerTensor& layer : value.layers) names.push_back(layer.layer);
  return names;
}

TensorId find(const PortValue& value, const std::string& layer) {
  for (const LayerTensor& candidate : value.layers)
    if (candidate.layer == layer) return candidate.tensor;
  return no_tensor;
}

/// `compared` is the port that is held against the target.
void report_missing(LowerContext& context, std::string_view compared, const std::string& port,
                    const std::string& layer, const PortValue& value) {
  const Node* source = context.source(port);
  const std::vector<std::string> names = names_of(value);
  const bool listed = context.node().value_of("layers") != nullptr;
  const std::string other = port == "target" ? std::string(compared) : "target";
  Diagnostic& diagnostic =
      context.error("layer-mismatch", listed ? "layers" : port, "'" + port + "' has no layer '" + layer + "'")
          .suggest(names.empty() ? "say which layers '" + source->id() + "' has: layers: [" + layer + "]"
                                 : "it has " + join_words(names))
          .note("'" + port + "' comes from '" + source->id() + "'", source->span_of("layers"));
  if (const Node* from = listed ? nullptr : context.source(other))
    diagnostic.note("'" + other + "' comes from '" + from->id() + "', which has it", from->span_of("layers"));
}

}  // namespace

void demand_layer_pairs(DemandContext& context, const std::string& port) {
  for (const LayerDemand& layer : context.listed("layers")) {
    context.demand(port, layer);
    context.demand("target", layer);
  }
}

void lower_layer_pairs(LowerContext& context, const LayerLossParameters& parameters,
                       const std::string& port) {
  const PortValue& value = *context.input(port);
  const PortValue& target = *context.input("target");
  const std::vector<std::string> layers = parameters.layers.empty() ? names_of(target) : parameters.layers;
  if (layers.empty())
    context.error("layer-mismatch", "target", "'target' has no layers, so there is nothing to compare")
        .suggest("say which: layers: [relu4_1]");
  for (const auto& [layer, weight] : parameters.layer_weights)
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) {
      const std::string hint = did_you_mean(layer, layers);
      context
          .error("unknown-layer", "layer_weights",
                 "'layer_weights' names the layer '" + layer + "', which is not compared")
          .suggest(hint.empty() ? "compared are " + join_words(layers) : hint);
    }
  for (const std::string& layer : layers) {
    const TensorId a = find(value, layer);
    const TensorId b = find(target, layer);
    if (a == no_tensor) report_missing(context, port, port, layer, value);
    if (b == no_tensor) report_missing(context, port, "target", layer, target);
    if (value.layers.empty() || target.layers.empty()) return;  // said once is enough
    if (a == no_tensor || b == no_tensor) continue;
    const auto own = parameters.layer_weights.find(layer);
    const double weight = parameters.weight * (own == parameters.layer_weights.end() ? 1.0 : own->second);
    context.add_loss(context.emit(std::make_shared<SquaredError>(weight), {a, b}, layer).front(), layer);
  }
}

}  // namespace gramflow
