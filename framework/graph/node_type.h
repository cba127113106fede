#pragma once
// What a node type is: a value that describes itself. `gramflow nodes`, the generated pages, the editor
// schema and the linker all read the same description; lower() is the thin adapter from a node of the
// pipeline to operations of the Program.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/schema/parameters.h"

namespace gramflow {

/// What travels along a wire. A closed set: what cannot be told apart here cannot be wired wrongly by
/// accident.
enum class PortKind {
  picture,        ///< sRGB in [0, 1], 3 channels
  network_input,  ///< a picture in a network's convention
  features,       ///< feature maps by layer
  grams,          ///< Gram matrices by layer
  loss,           ///< weighted scalars that the optimiser adds up
};
std::string_view name_of(PortKind kind);  ///< "picture", "network input", ...

struct InputPort {
  std::string name;
  PortKind kind = PortKind::picture;
  std::string doc;
  bool required = true;
  bool list = false;                ///< takes one reference or a list of them
  std::vector<PortKind> also = {};  ///< other kinds it takes
  bool takes(PortKind other) const;
};

struct OutputPort {
  std::string name;  ///< "" for the main one, which is referred to by the node's id alone
  PortKind kind = PortKind::picture;
  std::string doc;
  /// The optimiser's canvas: it exists before the node's inputs do, so a wire from it closes no cycle.
  bool before_inputs = false;
  /// Name of the input whose kind this output has; "": always `kind`.
  std::string like = "";
};

class DemandContext;
class LowerContext;

struct NodeType {
  std::string name;     ///< "StyleLoss"
  std::string theme;    ///< folder: "image", "features", "loss", "optim"
  std::string summary;  ///< one sentence
  std::string formula;  ///< plain text; "" when there is none
  std::vector<InputPort> inputs;
  std::vector<OutputPort> outputs;
  ParameterSchema parameters;
  /// Has an effect outside of the program (writes a file): keeps alive what it depends on.
  bool sink = false;
  /// Is the optimiser: its inputs are what the loop is made for.
  bool optimizer = false;
  /// Asks for layers of its inputs; called for consumers before producers. Optional.
  std::function<void(DemandContext&)> demand;
  /// Emits operations; called for producers before consumers.
  std::function<void(LowerContext&)> lower;
};

/// The node types of a program, in the order of its documentation. Made by nodes/standard_nodes.h, or by an
/// embedder.
using NodeTypes = std::vector<NodeType>;
const NodeType* find_type(const NodeTypes& types, std::string_view name);
/// Whether `key` is an input port of the node type `type`: what expand() asks. `types` must outlive the
/// answer's function.
std::function<bool(std::string_view type, std::string_view key)> port_test(const NodeTypes& types);

}  // namespace gramflow
