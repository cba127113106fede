// The only legal ring goes through the optimiser's canvas: the canvas is there before the losses are. A
// depth-first walk from consumers to producers finds the others. It is done twice: once along the wires that
// carry finished values, once along those that fix sizes, where the canvas takes its size from the
// optimiser's start and so must not be part of it.
#include "framework/graph/cycles.h"

#include <set>
#include <utility>

namespace gramflow {
namespace {

enum class Walk { values, sizes };

class CycleFinder {
 public:
  CycleFinder(const Graph& graph, Diagnostics& diagnostics, Walk walk)
      : graph_(graph), diagnostics_(diagnostics), walk_(walk), state_(graph.nodes.size(), State::fresh) {}

  bool run() {
    for (int i = 0; i < static_cast<int>(graph_.nodes.size()); ++i)
      if (state(i) == State::fresh) visit(i);
    return found_;
  }

 private:
  enum class State { fresh, open, done };
  struct Frame {
    int node;
    std::vector<std::pair<std::string, Wire>> wires;  // port, wire
    std::size_t next = 0;
  };

  State& state(int node) { return state_[static_cast<std::size_t>(node)]; }

  std::vector<std::pair<std::string, Wire>> wires_of(int index) const {
    std::vector<std::pair<std::string, Wire>> result;
    const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    for (std::size_t p = 0; p < node.inputs.size(); ++p) {
      const InputPort& port = node.type->inputs[p];
      if (walk_ == Walk::sizes && node.type->optimizer && port.kind == PortKind::loss) continue;
      for (const Wire& wire : node.inputs[p]) {
        if (!wire.linked()) continue;
        const Node& source = graph_.nodes[static_cast<std::size_t>(wire.node)];
        const OutputPort& output = source.type->outputs[static_cast<std::size_t>(wire.output)];
        if (walk_ == Walk::values && output.before_inputs) continue;
        result.emplace_back(port.name, wire);
      }
    }
    return result;
  }

  // An own stack: pipelines of ten thousand nodes in a row are legal.
  void visit(int start) {
    std::vector<Frame> stack;
    const auto open = [&](int node) {
      state(node) = State::open;
      stack.push_back({node, wires_of(node)});
    };
    open(start);
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next == top.wires.size()) {
        state(top.node) = State::done;
        stack.pop_back();
        continue;
      }
      const int source = top.wires[top.next++].second.node;
      if (state(source) == State::fresh)
        open(source);
      else if (state(source) == State::open)
        report(stack, source);
    }
  }

  void report(const std::vector<Frame>& stack, int source) {
    found_ = true;
    std::size_t begin = stack.size();
    while (stack[begin - 1].node != source) --begin;
    --begin;
    const auto edge = [&](std::size_t i) -> const std::pair<std::string, Wire>& {
      return stack[i].wires[stack[i].next - 1];
    };
    std::string ring;
    for (std::size_t i = begin; i < stack.size(); ++i)
      if (is_shown(i - begin, stack.size() - begin))
        ring += id(stack[i].node) + " <- ";
      else if (i - begin == shown_first)
        ring += std::to_string(stack.size() - begin - shown_first - shown_last) + " more <- ";
    ring += id(source);

    // The usual one, said once for each such wire: somebody wrote the finished picture where the one being
    // optimised was meant.
    const auto is_optimizer = [&](std::size_t i) {
      return graph_.nodes[static_cast<std::size_t>(edge(i).second.node)].type->optimizer;
    };
    std::size_t finished = begin, optimizers = 0;
    for (std::size_t i = stack.size(); i-- > begin;)
      if (is_optimizer(i)) {
        finished = i;
        ++optimizers;
      }
    const bool takes_finished = optimizers == 1;
    const Span& place = edge(takes_finished ? finished : stack.size() - 1).second.span;
    if (takes_finished && !said_.insert({place.file.get(), place.begin}).second) return;
    Diagnostic& diagnostic = diagnostics_.error("cycle", place, "these nodes wait for each other: " + ring);
    const std::string optimizer = takes_finished ? id(edge(finished).second.node) : "";
    if (takes_finished && walk_ == Walk::values) {
      diagnostic.message = "'" + optimizer + "' is the finished picture, which waits for this node: " + ring;
      diagnostic.suggest("write '" + optimizer + ".canvas' for the picture while it is optimised");
    } else if (takes_finished) {
      diagnostic.message =
          "the canvas has the size of its 'start', which cannot come from the canvas: " + ring;
      diagnostic.suggest("start from a picture, by way of Preprocess");
    }
    for (std::size_t i = begin; i < stack.size(); ++i) {
      if (!is_shown(i - begin, stack.size() - begin)) continue;
      const auto& [port, wire] = edge(i);
      diagnostic.note("'" + id(stack[i].node) + "' takes '" + port + "' from '" + id(wire.node) + "' here",
                      wire.span);
    }
  }

  // Of a long ring.
  static constexpr std::size_t shown_first = 8, shown_last = 2;
  static bool is_shown(std::size_t place, std::size_t length) {
    return length <= shown_first + shown_last + 1 || place < shown_first || place + shown_last >= length;
  }

  const std::string& id(int node) const { return graph_.nodes[static_cast<std::size_t>(node)].id(); }

  const Graph& graph_;
  Diagnostics& diagnostics_;
  Walk walk_;
  std::vector<State> state_;
  std::set<std::pair<const SourceFile*, Position>>
      said_;  // where the finished picture is taken for the canvas
  bool found_ = false;
};

}  // namespace

bool report_cycles(const Graph& graph, Diagnostics& diagnostics) {
  if (CycleFinder(graph, diagnostics, Walk::values).run()) return true;
  return CycleFinder(graph, diagnostics, Walk::sizes).run();
}

}  // namespace gramflow
