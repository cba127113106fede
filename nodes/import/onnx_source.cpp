// An ONNX model is a graph of nodes whose weights are initialisers (or constants) under names. Field numbers
// are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "framework/base/printable.h"
#include "nodes/import/tensor_names.h"
#include "nodes/import/wire_format.h"
#include "nodes/import/wire_tensor.h"

namespace gramflow {
namespace {

constexpr std::size_t most_tensors = 20'000;

struct Node {
  std::string kind;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, std::vector<std::int64_t>> integers;
  std::map<std::string, float> numbers;
  std::string auto_pad;
};

class OnnxReader {
 public:
  explicit OnnxReader(const ByteFile& file) : file_(file) {}

  WireModel run() {
    WireReader model(file_, 0, file_.size());
    WireField field;
    while (model.next(field))
      if (field.number == 7 && field.type == 2) read_graph(field);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].kind == "Conv" && nodes_[i].inputs.size() >= 2) describe(nodes_[i]);
    for (const Node& node : nodes_) follow(node);
    model_.chain = chain_.links();
    return std::move(model_);
  }

 private:
  void read_graph(const WireField& graph) {
    WireReader reader(file_, graph);
    WireField field;
    while (reader.next(field)) {
      if (field.type != 2) continue;
      if (field.number == 1) read_node(field);
      if (field.number == 5) add_tensor(read_tensor(field));
    }
  }

  void add_tensor(WireTensor tensor) {
    if (model_.tensors.size() >= most_tensors) file_.fail("holds more than any weights file");
    model_.tensors.push_back(std::move(tensor));
  }

  void read_node(const WireField& message) {
    if (nodes_.size() >= most_tensors) file_.fail("holds more than any network");
    Node node;
    WireReader reader(file_, message);
    WireField field;
    std::optional<WireTensor> constant;
    while (reader.next(field)) {
      if (field.number == 1) node.inputs.push_back(reader.text(field));
      if (field.number == 2) node.outputs.push_back(reader.text(field));
      if (field.number == 4) node.kind = reader.text(field);
      if (field.number == 5 && field.type == 2) read_attribute(field, node, constant);
    }
    if (node.kind == "Constant" && constant && !node.outputs.empty()) {
      constant->listed.name = node.outputs[0];
      add_tensor(std::move(*constant));
    }
    nodes_.push_back(std::move(node));
  }

  void read_attribute(const WireField& message, Node& node, std::optional<WireTensor>& constant) {
    WireReader reader(file_, message);
    WireField field;
    std::string name;
    std::vector<std::int64_t> integers;
    std::optional<float> number;
    std::string text;
    while (reader.next(field)) {
      if (field.number == 1) name = reader.text(field);
      if (field.number == 2 && field.type == 5)
        number = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
      if (field.number == 3 || field.number == 8) reader.integers(field, integers);
      if (field.number == 4 && field.size < 256) text = reader.text(field);
      if (field.number == 5 && field.type == 2) constant = read_tensor(field);
    }
    if (!integers.empty()) node.integers[name] = integers;
    if (number) node.numbers[name] = *number;
    if (name == "auto_pad") node.auto_pad = text;
  }

  WireTensor read_tensor(const WireField& message) const {
    WireTensor tensor;
    WireReader reader(file_, message);
    WireField field;
    std::uint64_t type = 0;
    bool has_raw = false;
    while (reader.next(field)) {
      if (field.number == 1) reader.integers(field, tensor.listed.shape);
      if (field.number == 2 && field.type == 0) type = field.value;
      if (field.number == 8) tensor.listed.name = reader.text(field);
      if (field.number == 9 && field.type == 2) has_raw = true;
      if ((field.number == 4 || field.number == 10 || field.number == 9) && field.size > 0)
        tensor.pieces.push_back({field.offset, field.size});
      if ((field.number == 14 && field.value == 1) || field.number == 13)
        tensor.trouble =
            "keeps its numbers in another file, which is not read; in Python: import onnx; "
            "onnx.save(onnx.load('model.onnx'), 'whole.onnx', save_as_external_data=False)";
    }
    switch (type) {
      case 1:
        tensor.listed.type = "F32";
        break;
      case 10:
        tensor.listed.type = "F16";
        break;
      case 11:
        tensor.listed.type = "F64";
        break;
      case 16:
        tensor.listed.type = "BF16";
        break;
      default:
        tensor.listed.type = fmt::format("I{}", type);
    }
    if ((type == 10 || type == 16) && !has_raw && tensor.trouble.empty())
      tensor.trouble = "keeps half precision in a way that is not read";
    if (tensor.listed.shape.size() > 8) file_.fail("is damaged: a tensor has more than 8 dimensions");
    return tensor;
  }

  const Node* only_consumer(const std::string& output) const {
    const Node* only = nullptr;
    for (const Node& node : nodes_) {
      if (std::find(node.inputs.begin(), node.inputs.end(), output) == node.inputs.end()) continue;
      if (only != nullptr) return nullptr;
      only = &node;
    }
    return only;
  }

  static bool all(const std::map<std::string, std::vector<std::int64_t>>& integers, const char* name,
                  std::int64_t value) {
    const auto found = integers.find(name);
    return found == integers.end() || std::all_of(found->second.begin(), found->second.end(),
                                                  [&](std::int64_t i) { return i == value; });
  }

  void describe(const Node& conv) {
    LayerFacts facts;
    if (!all(conv.integers, "strides", 1)) facts.trouble = "has a stride";
    if (!all(conv.integers, "dilations", 1)) facts.trouble = "has a dilation";
    if (!all(conv.integers, "group", 1)) facts.trouble = "has groups";
    if (const auto pads = conv.integers.find("pads"); pads != conv.integers.end() && !pads->second.empty()) {
      if (all(conv.integers, "pads", pads->second[0]) && pads->second[0] >= 0 && pads->second[0] < 100)
        facts.padding = static_cast<int>(pads->second[0]);
      else
        facts.trouble = "pads its sides differently";
    } else if (conv.auto_pad.empty() || conv.auto_pad == "NOTSET" || conv.auto_pad == "VALID") {
      facts.padding = 0;
    }
    if (conv.inputs.size() > 2 && !conv.inputs[2].empty())
      facts.bias = conv.inputs[2];
    else
      facts.no_bias = true;
    // What makes the input of the first one is a part of the network.
    for (const Node& node : nodes_)
      if (std::find(node.outputs.begin(), node.outputs.end(), conv.inputs[0]) != node.outputs.end() &&
          (node.kind == "Sub" || node.kind == "Div" || node.kind == "Mul" || node.kind == "Add" ||
           node.kind == "BatchNormalization" || node.kind == "InstanceNormalization"))
        facts.trouble = "comes after a " + node.kind;
    const Node* at = conv.outputs.empty() ? nullptr : only_consumer(conv.outputs[0]);
    bool active = false;
    for (int i = 0; at != nullptr && i < 10; ++i) {
      const std::string& kind = at->kind;
      if (kind == "BatchNormalization" && !active && facts.norm.empty() && at->inputs.size() >= 5) {
        facts.norm = split_name(clean_name(at->inputs[1])).module;
        for (std::size_t n = 1; n < 5; ++n)
          if (facts.norm.empty() || split_name(clean_name(at->inputs[n])).module != facts.norm)
            facts.trouble = "is followed by a batch norm whose tensors have no common name";
        const auto epsilon = at->numbers.find("epsilon");
        model_.epsilons[facts.norm] =
            epsilon == at->numbers.end() ? 1e-5 : static_cast<double>(epsilon->second);
      } else if (kind == "Relu") {
        active = true;
      } else if (kind != "Dropout" && kind != "Identity") {
        static constexpr std::string_view next_stage[] = {
            "Conv", "MaxPool",   "AveragePool", "Flatten", "Reshape", "Gemm", "GlobalAveragePool",
            "Pad",  "Transpose", "Shape",       "MatMul"};
        if (std::find(std::begin(next_stage), std::end(next_stage), kind) == std::end(next_stage))
          facts.trouble =
              fmt::format("is followed by {}{}", printable(kind), active ? " after its ReLU" : "");
        break;
      }
      at = at->outputs.empty() ? nullptr : only_consumer(at->outputs[0]);
    }
    model_.facts[conv.inputs[1]] = facts;
  }

  // Nodes are in an order in which they can be computed.
  void follow(const Node& node) {
    static constexpr std::string_view passing[] = {"Relu", "BatchNormalization", "Dropout", "Identity",
                                                   "Transpose"};
    if (node.inputs.empty()) return chain_.other(node.outputs);
    const std::string& takes = node.inputs[0];
    if (node.kind == "Conv" && node.inputs.size() >= 2)
      chain_.convolution(takes, node.outputs, node.inputs[1]);
    else if ((node.kind == "MaxPool" || node.kind == "AveragePool") && node.integers.contains("strides") &&
             all(node.integers, "kernel_shape", 2) && all(node.integers, "strides", 2))
      chain_.pool(takes, node.outputs);
    else if (std::find(std::begin(passing), std::end(passing), node.kind) != std::end(passing))
      chain_.pass(takes, node.outputs);
    else
      chain_.other(node.outputs);
  }

  const ByteFile& file_;
  ModelChain chain_;
  std::vector<Node> nodes_;
  WireModel model_;
};

}  // namespace

std::unique_ptr<TensorSource> open_onnx(std::unique_ptr<ByteFile> file) {
  WireModel model = OnnxReader(*file).run();
  return make_wire_source(std::move(file), SourceFormat::onnx, "an ONNX model", std::move(model));
}

}  // namespace gramflow
