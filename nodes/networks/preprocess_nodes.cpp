// Preprocess and Postprocess: from pictures to a network's numbers and back.
#include "framework/ops/channel_affine.h"
#include "nodes/networks/convention.h"
#include "nodes/networks/input_space.h"
#include "nodes/networks/named_network.h"
#include "nodes/networks/network_nodes.h"

namespace gramflow {
namespace {

struct ProcessParameters {
  std::string network = default_network;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, ProcessParameters& parameters) {
  visitor("network", parameters.network, "a name in configs/networks, or a path to such a file", not_empty(),
          reads_file());
}

enum class Direction { to_network, to_picture };

void lower_conversion(LowerContext& context, NetworkLibrary& library, const std::string& port,
                      Direction direction) {
  const auto& parameters = context.parameters<ProcessParameters>();
  const auto network = named_network(context, library, parameters.network);
  if (!network) return;
  const PortValue& input = *context.input(port);
  const InputSpace space = input_space(*network);
  const bool back = direction == Direction::to_picture;
  if (back && input.space.convention != space.convention) {
    context
        .error("convention", port,
               "'" + port + "' was prepared for another network: " + input.space.convention)
        .suggest("'network: " + parameters.network + "' means " + space.convention);
    return;
  }
  PortValue value;
  value.tensor =
      context
          .emit(std::make_shared<ChannelAffine>(back ? space.to_picture : space.from_picture), {input.tensor})
          .front();
  if (!back) value.space = space;
  context.set_output("", std::move(value));
}

}  // namespace

NodeType preprocess_node(std::shared_ptr<NetworkLibrary> library) {
  NodeType type;
  type.name = "Preprocess";
  type.theme = "image";
  type.summary = "Turns a picture into the numbers that a network was trained on.";
  type.formula = "(picture * scale - mean) / std for each channel, in the network's channel order";
  type.inputs = {{"image", PortKind::picture, "the picture"}};
  type.outputs = {{"", PortKind::network_input, "of the same size"}};
  type.parameters = ParameterSchema::of<ProcessParameters>();
  type.lower = [library = std::move(library)](LowerContext& context) {
    lower_conversion(context, *library, "image", Direction::to_network);
  };
  return type;
}

NodeType postprocess_node(std::shared_ptr<NetworkLibrary> library) {
  NodeType type;
  type.name = "Postprocess";
  type.theme = "image";
  type.summary = "Turns a network's numbers back into a picture: the inverse of Preprocess.";
  type.formula = "(input * std + mean) / scale; Save cuts off at 0 and 1";
  type.inputs = {{"input", PortKind::network_input, "usually the optimiser's result"}};
  type.outputs = {{"", PortKind::picture, "of the same size"}};
  type.parameters = ParameterSchema::of<ProcessParameters>();
  type.lower = [library = std::move(library)](LowerContext& context) {
    lower_conversion(context, *library, "input", Direction::to_picture);
  };
  return type;
}

}  // namespace gramflow
