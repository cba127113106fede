// VGGExtract: the chain of layers up to the deepest one that somebody asks for.
#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/graph/lower.h"
#include "framework/ops/convolution.h"
#include "framework/ops/pool.h"
#include "framework/ops/relu.h"
#include "nodes/features/feature_nodes.h"
#include "nodes/features/input_space.h"

namespace gramflow {
namespace {

struct VggExtractParameters {
  std::string network = default_network;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, VggExtractParameters& parameters) {
  visitor("network", parameters.network, "a name in configs/networks, or a path to such a file");
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
  for (const LayerDemand& demand : context.demanded()) {
    const int index = network.find(demand.layer);
    if (index < 0) {
      const std::vector<std::string> names = network.layer_names();
      const std::string owner = network_with(library, demand.layer);
      const std::string hint =
          owner.empty() ? did_you_mean(demand.layer, names)
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

void lower_vgg_extract(LowerContext& context, NetworkLibrary& library) {
  const auto& parameters = context.parameters<VggExtractParameters>();
  const PortValue& input = *context.input("input");
  const auto network = library.network(parameters.network, context.directory(),
                                       context.node().span_of("network"), context.diagnostics());
  if (!network) return;
  if (const std::string wanted = input_space(*network).convention; wanted != input.space.convention) {
    context
        .error("convention", "input", "'input' was prepared for another network: " + input.space.convention)
        .suggest("give its Preprocess 'network: " + parameters.network + "', which wants " + wanted);
    return;
  }
  const int deepest = deepest_layer(context, library, *network);
  PortValue features;
  TensorId now = input.tensor;
  for (int i = 0; i <= deepest; ++i) {
    const NetworkLayer& layer = network->layers[static_cast<std::size_t>(i)];
    OpPtr op;
    if (layer.kind == NetworkLayer::Kind::convolution)
      op = std::make_shared<Convolution>(library.filter(network, layer));
    if (layer.kind == NetworkLayer::Kind::relu) op = std::make_shared<Relu>();
    if (layer.kind == NetworkLayer::Kind::pool) op = std::make_shared<Pool>(layer.pool);
    now = context.emit(std::move(op), {now}, layer.name).front();
    const auto& demanded = context.demanded();
    if (std::any_of(demanded.begin(), demanded.end(),
                    [&](const LayerDemand& demand) { return demand.layer == layer.name; }))
      features.layers.push_back({layer.name, now});
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
