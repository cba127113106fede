// VGGExtract: the chain of layers up to the deepest one that somebody asks for.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "framework/base/text.h"
#include "framework/graph/lower.h"
#include "framework/ops/convolution.h"
#include "framework/ops/pool.h"
#include "framework/ops/relu.h"
#include "framework/ops/scaled_pool.h"
#include "nodes/networks/input_space.h"
#include "nodes/networks/layer_words.h"
#include "nodes/networks/named_network.h"
#include "nodes/networks/network_nodes.h"

namespace gramflow {

enum class PaddingChoice { network, zero, reflect, replicate };
inline auto enum_names(PaddingChoice) {
  return std::vector<std::pair<std::string, PaddingChoice>>{{"network", PaddingChoice::network},
                                                            {"zero", PaddingChoice::zero},
                                                            {"reflect", PaddingChoice::reflect},
                                                            {"replicate", PaddingChoice::replicate}};
}

enum class PaddedLayers { all, first };
inline auto enum_names(PaddedLayers) {
  return std::vector<std::pair<std::string, PaddedLayers>>{{"all", PaddedLayers::all},
                                                           {"first", PaddedLayers::first}};
}

enum class PoolingChoice { network, max, average, l2 };
inline auto enum_names(PoolingChoice) {
  return std::vector<std::pair<std::string, PoolingChoice>>{{"network", PoolingChoice::network},
                                                            {"max", PoolingChoice::max},
                                                            {"average", PoolingChoice::average},
                                                            {"l2", PoolingChoice::l2}};
}

namespace {

struct VggExtractParameters {
  std::string network = default_network;
  PaddingChoice padding = PaddingChoice::network;
  PaddedLayers padded_layers = PaddedLayers::all;
  PoolingChoice pooling = PoolingChoice::network;
  std::optional<double> pooling_gain;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, VggExtractParameters& parameters) {
  visitor("network", parameters.network, "a name in configs/networks, or a path to such a file", not_empty(),
          reads_file());
  visitor(
      "padding", parameters.padding,
      "what convolutions see outside of their input; network: what the network was trained with; replicate "
      "softens frames around the picture");
  visitor("padded_layers", parameters.padded_layers,
          "which convolutions 'padding' is for: all, or the first alone, as crowsonkb has it");
  visitor("pooling", parameters.pooling,
          "network: its own; max, average or l2 (root of the sum of squares) instead");
  visitor("pooling_gain", parameters.pooling_gain,
          "what poolings are multiplied by; default: what keeps activations as large as they were, 1.32 for "
          "average and 0.62 for l2 where the network has maxima; peers: 1 (jcjohnson, Gatys), 2 and 0.78 "
          "(crowsonkb)",
          more_than(0.0));
}

/// How the chain differs from the network's own; "" when it does not. For messages, too.
std::string changes_text(const VggExtractParameters& parameters) {
  std::string text;
  if (parameters.padding != PaddingChoice::network)
    text += ", padding " + ParameterType<PaddingChoice>::text(parameters.padding) +
            (parameters.padded_layers == PaddedLayers::first ? " in the first layer" : "");
  if (parameters.pooling != PoolingChoice::network)
    text += ", pooling " + ParameterType<PoolingChoice>::text(parameters.pooling);
  if (parameters.pooling_gain) text += fmt::format(" times {}", *parameters.pooling_gain);
  return text;
}

Border border_of(PaddingChoice padding) {
  return padding == PaddingChoice::zero      ? Border::zero
         : padding == PaddingChoice::reflect ? Border::reflect
                                             : Border::replicate;
}

/// By what a pooling is multiplied so that its outputs are about as large as maxima. Measured: with these,
/// the root mean square of every layer up to relu5_1 stays within 20 % for photographs and paintings, with
/// VGG-19's own weights (up to relu3_4) and with the networks that come with gramflow.
double level_gain(PoolingKind kind) {
  return kind == PoolingKind::max ? 1 : kind == PoolingKind::average ? 1.32 : 0.62;
}

OpPtr pooling_of(PoolKind own, const VggExtractParameters& parameters) {
  const PoolingKind trained = own == PoolKind::max ? PoolingKind::max : PoolingKind::average;
  PoolingKind wanted = trained;
  if (parameters.pooling == PoolingChoice::max) wanted = PoolingKind::max;
  if (parameters.pooling == PoolingChoice::average) wanted = PoolingKind::average;
  if (parameters.pooling == PoolingChoice::l2) wanted = PoolingKind::l2;
  const double gain = parameters.pooling_gain.value_or(level_gain(wanted) / level_gain(trained));
  if (wanted == trained && gain == 1) return std::make_shared<Pool>(own);
  return std::make_shared<ScaledPool>(wanted, gain);
}

/// The border of each convolution in turn.
class Borders {
 public:
  Borders(const VggExtractParameters& parameters, const Network& network)
      : parameters_(parameters), own_(network.border) {}
  Border next(const NetworkLayer& layer) {
    if (parameters_.padding == PaddingChoice::network) return own_;
    const bool first = !passed_ && layer.padding > 0;
    passed_ = passed_ || first;
    return first || parameters_.padded_layers == PaddedLayers::all ? border_of(parameters_.padding) : own_;
  }

 private:
  const VggExtractParameters& parameters_;
  Border own_;
  bool passed_ = false;
};

/// Reports parameters that cannot be meant; false when nothing can come of them.
bool check_changes(LowerContext& context, const VggExtractParameters& parameters, const Network& network) {
  if (parameters.padding == PaddingChoice::network && parameters.padded_layers == PaddedLayers::first)
    context.diagnostics().warning("unused-parameter", context.node().span_of("padded_layers"),
                                  "'padded_layers' has no effect without a 'padding'");
  if (parameters.padding != PaddingChoice::zero || !network.weights_input) return true;
  const NetworkLayer& first = network.layers.front();
  if (first.kind != NetworkLayer::Kind::convolution || first.padding == 0) return true;
  context
      .error("padding", "padding",
             "the weights of '" + network.name +
                 "' were made for another input, which zeros around the picture would not be")
      .suggest("take 'reflect' or 'replicate'");
  return false;
}

/// The first of gramflow's networks that has a layer of this name; "" when none has.
std::string network_with(NetworkLibrary& library, const std::string& layer) {
  for (const auto& network : library.all())
    if (network->find(layer) >= 0) return network->name;
  return "";
}

/// Index of the deepest layer asked for; reports those that the network does not have. -1 when there is none.
int deepest_layer(LowerContext& context, NetworkLibrary& library, const Network& network) {
  int deepest = -1;
  std::unordered_map<std::string, int> layers;
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    layers.emplace(network.layers[i].name, static_cast<int>(i));
  for (const LayerDemand& demand : context.demanded()) {
    const auto found = layers.find(demand.layer);
    const int index = found != layers.end() ? found->second : -1;
    if (index < 0) {
      const std::vector<std::string> names = network.layer_names();
      const std::string owner = network_with(library, demand.layer);
      std::string hint = layer_in_other_words(network, demand.layer);
      if (hint.empty())
        hint = owner.empty() ? did_you_mean(demand.layer, names)
                             : fmt::format("{} has this layer; here the last is '{}'", owner, names.back());
      context.diagnostics()
          .error("unknown-layer", demand.span.known() ? demand.span : context.node().entry.id_span,
                 "network '" + network.name + "' has no layer '" + demand.layer + "'")
          .suggest(hint.empty() ? "it has " + join_words(names) : hint)
          .note("the features come from '" + context.node().id() + "'", context.node().entry.id_span);
    }
    deepest = std::max(deepest, index);
  }
  return deepest;
}

/// Side of the smallest input from which a layer still has a pixel: back through the chain.
std::int64_t smallest_side(const Network& network, int deepest, const VggExtractParameters& parameters) {
  std::int64_t side = 1;
  const bool own_border =
      parameters.padding == PaddingChoice::network || parameters.padded_layers == PaddedLayers::first;
  const bool reflects =
      parameters.padding == PaddingChoice::reflect || (own_border && network.border == Border::reflect);
  for (int i = deepest; i >= 0; --i) {
    const NetworkLayer& layer = network.layers[static_cast<std::size_t>(i)];
    if (layer.kind == NetworkLayer::Kind::pool) side *= 2;
    if (layer.kind != NetworkLayer::Kind::convolution) continue;
    side = std::max<std::int64_t>(side - 2 * layer.padding + layer.kernel - 1, 1);
    if (reflects) side = std::max<std::int64_t>(side, layer.padding + 1);
  }
  return side;
}

bool is_large_enough(LowerContext& context, const Network& network, int deepest,
                     const VggExtractParameters& parameters) {
  if (deepest < 0) return true;
  const Shape& shape = context.desc(context.input("input")->tensor).shape;
  const std::int64_t side = smallest_side(network, deepest, parameters);
  if (shape.width >= side && shape.height >= side) return true;
  const std::string& layer = network.layers[static_cast<std::size_t>(deepest)].name;
  Diagnostic& diagnostic = context.diagnostics().error(
      "shapes", context.node().entry.id_span,
      fmt::format("VGGExtract '{}': a picture of {}x{} is too small for {}; the smallest is {}x{}",
                  context.node().id(), shape.width, shape.height, layer, side, side));
  if (const Node* source = context.source("input"))
    diagnostic.note(fmt::format("'input' comes from '{}'", source->id()), source->entry.id_span);
  for (const LayerDemand& demand : context.demanded())
    if (demand.layer == layer) diagnostic.note("the layer is asked for here", demand.span);
  return false;
}

void lower_vgg_extract(LowerContext& context, NetworkLibrary& library) {
  const auto& parameters = context.parameters<VggExtractParameters>();
  const PortValue& input = *context.input("input");
  const auto network = named_network(context, library, parameters.network);
  if (!network) return;
  if (const std::string missing = library.missing_weights(*network); !missing.empty())
    context.missing_file("network", missing);
  if (const std::string& file = library.weights_file(*network); !file.empty())
    context.uses_file("network", file, false, "weights");
  if (const std::string wanted = input_space(*network).convention; wanted != input.space.convention) {
    context
        .error("convention", "input", "'input' was prepared for another network: " + input.space.convention)
        .suggest("give its Preprocess 'network: " + parameters.network + "', which wants " + wanted);
    return;
  }
  if (!check_changes(context, parameters, *network)) return;
  const int deepest = deepest_layer(context, library, *network);
  if (!is_large_enough(context, *network, deepest, parameters)) return;
  std::unordered_set<std::string> demanded;
  for (const LayerDemand& demand : context.demanded()) demanded.insert(demand.layer);
  PortValue features;
  const Shape& made_from = context.desc(input.tensor).shape;
  features.picture_width = made_from.width;
  features.picture_height = made_from.height;
  features.made_by = network->name + changes_text(parameters);
  Borders borders(parameters, *network);
  TensorId now = input.tensor;
  for (int i = 0; i <= deepest; ++i) {
    const NetworkLayer& layer = network->layers[static_cast<std::size_t>(i)];
    OpPtr op;
    if (layer.kind == NetworkLayer::Kind::convolution)
      op = std::make_shared<Convolution>(library.filter(network, layer, borders.next(layer)));
    if (layer.kind == NetworkLayer::Kind::relu) op = std::make_shared<Relu>();
    if (layer.kind == NetworkLayer::Kind::pool) op = pooling_of(layer.pool, parameters);
    now = context.emit(std::move(op), {now}, layer.name).front();
    if (demanded.contains(layer.name)) features.layers.push_back({layer.name, now});
  }
  context.set_output("", std::move(features));
}

}  // namespace

NodeType vgg_extract_node(std::shared_ptr<NetworkLibrary> library) {
  NodeType type;
  type.name = "VGGExtract";
  type.theme = "features";
  type.summary = "Feature maps of a network, for exactly the layers that its consumers name.";
  type.formula = "convN_M = conv(input) + bias;  reluN_M = max(0, convN_M);  poolN = 2x2 maximum or mean";
  type.inputs = {{"input", PortKind::network_input, "from a Preprocess node, or an optimiser's canvas"}};
  type.outputs = {{"", PortKind::features, "by layer; convN_M is before ReLU, reluN_M after"}};
  type.parameters = ParameterSchema::of<VggExtractParameters>();
  type.lower = [library = std::move(library)](LowerContext& context) {
    lower_vgg_extract(context, *library);
  };
  return type;
}

}  // namespace gramflow
