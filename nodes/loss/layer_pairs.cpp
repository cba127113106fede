#include "nodes/loss/layer_pairs.h"

#include <map>
#include <set>
#include <unordered_map>

#include "framework/base/text.h"

namespace gramflow {
namespace {

std::vector<std::string> names_of(const PortValue& value) {
  std::vector<std::string> names;
  for (const LayerTensor& layer : value.layers) names.push_back(layer.layer);
  return names;
}

/// `compared` is the port that is held against the target.
void report_missing(LowerContext& context, std::string_view compared, const std::string& port,
                    std::size_t wire, const std::string& layer, const PortValue& value) {
  const Node* source = context.source(port, wire);
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

/// Layers of the same name and size from two networks, or from one run in two ways, mean different things.
bool same_makers(LowerContext& context, const std::string& port) {
  const PortValue& value = *context.input(port);
  const std::vector<const PortValue*> targets = context.inputs("target");
  for (std::size_t wire = 0; wire < targets.size(); ++wire) {
    if (targets[wire]->made_by == value.made_by) continue;
    context
        .error("other-network", "target",
               "'" + port + "' and 'target' are features of different networks: " + value.made_by + "; " +
                   targets[wire]->made_by)
        .suggest("give both VGGExtract nodes the same 'network', 'padding' and 'pooling'")
        .note("'" + port + "' comes from '" + context.source(port)->id() + "'",
              context.source(port)->entry.id_span)
        .note("'target' comes from '" + context.source("target", wire)->id() + "'",
              context.source("target", wire)->entry.id_span);
    return false;
  }
  return true;
}

/// False after reporting a layer that is listed twice: it would count twice, which a weight says better.
bool layers_differ(LowerContext& context) {
  std::map<std::string, Span> seen;
  const Value* value = context.node().value_of("layers");
  if (value == nullptr || value->list() == nullptr) return true;
  for (const ValuePtr& item : *value->list()) {
    if (item->scalar() == nullptr) continue;
    const auto [first, fresh] = seen.emplace(item->scalar()->text, item->span);
    if (fresh) continue;
    context.diagnostics()
        .error("listed-twice", item->span, "the layer '" + item->scalar()->text + "' is listed twice")
        .note("the first time", first->second)
        .suggest("remove one; 'layer_weights' makes a layer count more");
    return false;
  }
  return true;
}

using LayersByName = std::unordered_map<std::string, const LayerTensor*>;

LayersByName by_name(const PortValue& value) {
  LayersByName layers;
  for (const LayerTensor& layer : value.layers) layers.emplace(layer.layer, &layer);
  return layers;
}

const LayerTensor* find(const LayersByName& layers, const std::string& layer) {
  const auto found = layers.find(layer);
  return found != layers.end() ? found->second : nullptr;
}

}  // namespace

void demand_layer_pairs(DemandContext& context, const std::string& port) {
  for (const LayerDemand& layer : context.listed("layers")) {
    context.demand(port, layer);
    context.demand("target", layer);
  }
}

std::vector<LayerPair> layer_pairs(LowerContext& context, const LayerLossParameters& parameters,
                                   const std::string& port) {
  if (!same_makers(context, port) || !layers_differ(context)) return {};
  const PortValue& value = *context.input(port);
  const std::vector<const PortValue*> targets = context.inputs("target");
  const std::vector<std::string> layers =
      parameters.layers.empty() ? names_of(*targets.front()) : parameters.layers;
  if (layers.empty())
    context.error("layer-mismatch", "target", "'target' has no layers, so there is nothing to compare")
        .suggest("say which: layers: [relu4_1]");
  const std::set<std::string> names(layers.begin(), layers.end());
  for (const auto& [layer, weight] : parameters.layer_weights)
    if (!names.contains(layer)) {
      const std::string hint = did_you_mean(layer, layers);
      context
          .error("unknown-layer", "layer_weights",
                 "'layer_weights' names the layer '" + layer + "', which is not compared")
          .suggest(hint.empty() ? "compared are " + join_words(layers) : hint);
    }
  std::vector<LayerPair> pairs;
  const LayersByName compared_layers = by_name(value);
  std::vector<LayersByName> target_layers;
  for (const PortValue* target : targets) target_layers.push_back(by_name(*target));
  for (const std::string& layer : layers) {
    const LayerTensor* compared = find(compared_layers, layer);
    if (compared == nullptr) report_missing(context, port, port, 0, layer, value);
    bool nothing_there = value.layers.empty();
    LayerPair pair;
    for (std::size_t wire = 0; wire < targets.size(); ++wire) {
      const LayerTensor* target = find(target_layers[wire], layer);
      if (target == nullptr)
        report_missing(context, port, "target", wire, layer, *targets[wire]);
      else
        pair.targets.push_back(*target);
      nothing_there = nothing_there || targets[wire]->layers.empty();
    }
    if (nothing_there) return {};  // said once is enough
    if (compared == nullptr || pair.targets.size() < targets.size()) continue;
    const auto own = parameters.layer_weights.find(layer);
    pair.layer = layer;
    pair.value = *compared;
    pair.weight = parameters.weight * (own == parameters.layer_weights.end() ? 1.0 : own->second);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

bool target_stands_still(LowerContext& context, std::string_view what) {
  for (std::size_t wire = 0; const Node* source = context.source("target", wire); ++wire)
    if (source->loop >= 0 && context.section() == loop_section(source->loop)) {
      context
          .error("moving-target", "target",
                 "'target' changes with the canvas; " + std::string(what) + " needs one that stands still")
          .suggest("take it from a picture, not from the optimiser's canvas")
          .note("'target' comes from '" + source->id() + "'", source->entry.id_span);
      return false;
    }
  return true;
}

}  // namespace gramflow
