// When each node runs follows from what it depends on:
//   prologue   on neither the canvas nor the result
//   loop       on the canvas, on the way to a loss
//   epilogue   on the result, or on the canvas without being on the way to a loss (a preview)
#include <algorithm>

#include "framework/graph/reachability.h"

namespace gramflow {
namespace {

class PhaseInference {
 public:
  PhaseInference(Graph& graph, Diagnostics& diagnostics)
      : graph_(graph),
        diagnostics_(diagnostics),
        needed_(graph.nodes.size(), false),
        before_optimizer_(graph.nodes.size(), false),
        on_canvas_(graph.nodes.size(), false),
        on_result_(graph.nodes.size(), false) {}

  void run() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (node.type != nullptr && (node.type->sink || node.type->optimizer))
        mark(static_cast<int>(i), needed_);
    }
    if (graph_.optimizer >= 0) mark(graph_.optimizer, before_optimizer_);
    sort();
    for (const int index : graph_.order) infer(index);
    check_losses();
    warn_about_unused();
  }

 private:
  Node& node(int index) { return graph_.nodes[static_cast<std::size_t>(index)]; }

  template <class Visit>
  void for_each_wire(const Node& consumer, Visit visit) const {
    for (std::size_t p = 0; p < consumer.inputs.size(); ++p)
      for (const Wire& wire : consumer.inputs[p])
        if (wire.linked()) visit(consumer.type->inputs[p], wire);
  }

  void mark(int start, std::vector<bool>& marks) {
    std::vector<int> stack = {start};
    while (!stack.empty()) {
      const int index = stack.back();
      stack.pop_back();
      if (marks[static_cast<std::size_t>(index)]) continue;
      marks[static_cast<std::size_t>(index)] = true;
      for_each_wire(node(index), [&](const InputPort&, const Wire& wire) { stack.push_back(wire.node); });
    }
  }

  /// Producers before consumers; the optimiser before whatever uses its canvas, and so before its losses.
  void sort() {
    std::vector<int> state(graph_.nodes.size(), 0);
    std::vector<std::pair<int, bool>> stack;
    for (int i = static_cast<int>(graph_.nodes.size()); i-- > 0;) stack.emplace_back(i, false);
    while (!stack.empty()) {
      const auto [index, finished] = stack.back();
      stack.pop_back();
      if (finished) {
        if (needed_[static_cast<std::size_t>(index)]) graph_.order.push_back(index);
        continue;
      }
      if (state[static_cast<std::size_t>(index)]++ > 0) continue;
      stack.emplace_back(index, true);
      const Node& consumer = node(index);
      std::vector<int> sources;
      for_each_wire(consumer, [&](const InputPort& port, const Wire& wire) {
        if (!(consumer.type->optimizer && port.kind == PortKind::loss)) sources.push_back(wire.node);
      });
      for (auto source = sources.rbegin(); source != sources.rend(); ++source)
        stack.emplace_back(*source, false);
    }
  }

  void infer(int index) {
    Node& consumer = node(index);
    const auto i = static_cast<std::size_t>(index);
    if (consumer.type->optimizer) {
      consumer.phase = Phase::loop;
      return;
    }
    for_each_wire(consumer, [&](const InputPort&, const Wire& wire) {
      const auto source = static_cast<std::size_t>(wire.node);
      const Node& producer = node(wire.node);
      if (producer.type->optimizer) {
        const bool canvas = producer.type->outputs[static_cast<std::size_t>(wire.output)].before_inputs;
        (canvas ? on_canvas_ : on_result_)[i] = true;
      }
      if (on_canvas_[source]) on_canvas_[i] = true;
      if (on_result_[source]) on_result_[i] = true;
    });
    if (on_result_[i] || (on_canvas_[i] && !before_optimizer_[i]))
      consumer.phase = Phase::epilogue;
    else
      consumer.phase = on_canvas_[i] ? Phase::loop : Phase::prologue;
  }

  void check_losses() {
    if (graph_.optimizer < 0) return;
    const Node& optimizer = node(graph_.optimizer);
    for_each_wire(optimizer, [&](const InputPort& port, const Wire& wire) {
      if (port.kind != PortKind::loss || on_canvas_[static_cast<std::size_t>(wire.node)] ||
          depends_on_unlinked(wire.node))
        return;
      const Node& loss = node(wire.node);
      diagnostics_
          .error("constant-loss", wire.span,
                 "the loss '" + loss.id() +
                     "' does not depend on the picture that is optimised, so it cannot change it")
          .note("'" + loss.id() + "' is defined here", loss.entry.id_span)
          .suggest("somewhere before it, an input must be '" + optimizer.id() + ".canvas'");
    });
  }

  /// A wire that could not be linked has been reported; what would have come through it is unknown.
  bool depends_on_unlinked(int start) {
    std::vector<bool> marks(graph_.nodes.size(), false);
    mark(start, marks);
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (!marks[i]) continue;
      const Node& consumer = graph_.nodes[i];
      if (consumer.type == nullptr) return true;
      for (std::size_t p = 0; p < consumer.inputs.size(); ++p) {
        const std::vector<Wire>& wires = consumer.inputs[p];
        if (wires.empty() && consumer.type->inputs[p].required) return true;
        if (std::any_of(wires.begin(), wires.end(), [](const Wire& wire) { return !wire.linked(); }))
          return true;
      }
    }
    return false;
  }

  void warn_about_unused() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      graph_.nodes[i].used = needed_[i];
      if (needed_[i] || graph_.nodes[i].type == nullptr) continue;
      diagnostics_.warning("unused-node", graph_.nodes[i].entry.id_span,
                           "'" + graph_.nodes[i].id() +
                               "' is not used: no Save and no Optimizer depends on it, so it will not run");
    }
  }

  Graph& graph_;
  Diagnostics& diagnostics_;
  std::vector<bool> needed_;
  std::vector<bool> before_optimizer_;
  std::vector<bool> on_canvas_;
  std::vector<bool> on_result_;
};

}  // namespace

void infer_phases(Graph& graph, Diagnostics& diagnostics) { PhaseInference(graph, diagnostics).run(); }

}  // namespace gramflow
