// When each node runs follows from what it depends on. The optimisers run one after the other: one whose
// start or losses need another's result (or canvas) comes after it, otherwise as written. Then, for a node
// that is no optimiser:
//   in the loop of k   it depends on the canvas of k, on the way to a loss of k
//   straight           otherwise, and also when something outside of the loop reads it: there the canvas of k
//   means
//                      its finished picture
// A straight node cannot run before the loops it depends on have (its level). Pictures and saving run at
// their level: what can fail from outside fails early, and what is finished is saved at once. All else
// (features, Gram matrices) waits for the first who reads it, since it may be large.
#include "framework/graph/sections.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <utility>

namespace gramflow {
namespace {

constexpr int never = std::numeric_limits<int>::max();

class SectionInference {
 public:
  SectionInference(Graph& graph, Diagnostics& diagnostics)
      : graph_(graph), diagnostics_(diagnostics), count_(graph.nodes.size()) {}

  void run() {
    mark_used();
    sort();
    find_reached();
    if (!order_optimizers()) return;
    on_canvas_.assign(count_, -1);
    for (std::size_t k = 0; k < graph_.optimizers.size(); ++k) find_loop(static_cast<int>(k));
    find_straight();
    list_in_order();
    warn_about_unused();
  }

 private:
  Node& node(int index) { return graph_.nodes[static_cast<std::size_t>(index)]; }
  bool is_optimizer(int index) { return node(index).type != nullptr && node(index).type->optimizer; }
  static bool from_canvas(const Node& producer, const Wire& wire) {
    return producer.type->optimizer &&
           producer.type->outputs[static_cast<std::size_t>(wire.output)].before_inputs;
  }

  template <class Visit>
  void for_each_wire(const Node& consumer, Visit visit) const {
    for (std::size_t p = 0; p < consumer.inputs.size(); ++p)
      for (const Wire& wire : consumer.inputs[p])
        if (wire.linked()) visit(consumer.type->inputs[p], wire);
  }

  /// From consumers to producers, `start` included; `through(node)` says whether to go on behind a node.
  template <class Through>
  void mark(int start, std::vector<bool>& marks, Through through) {
    std::vector<int> stack = {start};
    while (!stack.empty()) {
      const int index = stack.back();
      stack.pop_back();
      if (marks[static_cast<std::size_t>(index)]) continue;
      marks[static_cast<std::size_t>(index)] = true;
      if (!through(index)) continue;
      for_each_wire(node(index), [&](const InputPort&, const Wire& wire) { stack.push_back(wire.node); });
    }
  }

  void mark_used() {
    std::vector<bool> needed(count_, false);
    for (int i = 0; i < static_cast<int>(count_); ++i)
      if (node(i).type != nullptr && (node(i).type->sink || node(i).type->optimizer))
        mark(i, needed, [](int) { return true; });
    for (std::size_t i = 0; i < count_; ++i) graph_.nodes[i].used = needed[i];
  }

  /// sorted_: producers before consumers; an optimiser before whatever uses its canvas, and so before its
  /// losses.
  void sort() {
    rank_.assign(count_, 0);
    std::vector<int> state(count_, 0);
    std::vector<std::pair<int, bool>> stack;
    for (int i = static_cast<int>(count_); i-- > 0;) stack.emplace_back(i, false);
    while (!stack.empty()) {
      const auto [index, finished] = stack.back();
      stack.pop_back();
      if (finished) {
        rank_[static_cast<std::size_t>(index)] = sorted_.size();
        if (node(index).used) sorted_.push_back(index);
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

  /// Which optimisers each node depends on without passing through another one. Most nodes depend on what
  /// one of their sources does, and share its list.
  void find_reached() {
    const Reached none = std::make_shared<std::vector<int>>();
    reached_.assign(count_, none);
    for (const int index : sorted_)
      if (!is_optimizer(index)) reached_[static_cast<std::size_t>(index)] = reached_by(node(index), none);
  }

  using Reached = std::shared_ptr<const std::vector<int>>;

  Reached reached_by(const Node& consumer, Reached result) {
    for_each_wire(consumer, [&](const InputPort&, const Wire& wire) {
      const Reached from = is_optimizer(wire.node) ? std::make_shared<const std::vector<int>>(1, wire.node)
                                                   : reached_[static_cast<std::size_t>(wire.node)];
      if (from == result || std::includes(result->begin(), result->end(), from->begin(), from->end())) return;
      if (std::includes(from->begin(), from->end(), result->begin(), result->end())) {
        result = from;
        return;
      }
      auto both = std::make_shared<std::vector<int>>();
      std::set_union(result->begin(), result->end(), from->begin(), from->end(), std::back_inserter(*both));
      result = std::move(both);
    });
    return result;
  }

  bool depends_on(int index, int optimizer) const {
    const std::vector<int>& reached = *reached_[static_cast<std::size_t>(index)];
    return std::binary_search(reached.begin(), reached.end(), optimizer);
  }

  /// Those that one optimiser waits for.
  std::vector<int> awaited(int optimizer) {
    std::vector<int> result = *reached_by(node(optimizer), std::make_shared<std::vector<int>>());
    std::erase(result, optimizer);
    return result;
  }

  /// Nodes from consumers to producers, each once; costs no more than there are.
  template <class Through>
  std::vector<int> reach(std::vector<int> stack, Through through) {
    ++walk_;
    walks_.resize(count_, 0);
    std::vector<int> result;
    while (!stack.empty()) {
      const int index = stack.back();
      stack.pop_back();
      if (std::exchange(walks_[static_cast<std::size_t>(index)], walk_) == walk_) continue;
      result.push_back(index);
      if (!through(index)) continue;
      for_each_wire(node(index), [&](const InputPort&, const Wire& wire) { stack.push_back(wire.node); });
    }
    return result;
  }

  /// False, and reported, when there is no order.
  bool order_optimizers() {
    std::vector<int> waiting;
    for (int i = 0; i < static_cast<int>(count_); ++i)
      if (is_optimizer(i)) waiting.push_back(i);
    std::vector<std::vector<int>> needs;
    for (const int optimizer : waiting) needs.push_back(awaited(optimizer));
    std::vector<std::size_t> missing(waiting.size());
    std::vector<int> number(count_, -1);  // in `waiting`, by node
    std::vector<std::vector<std::size_t>> waiters(waiting.size());
    for (std::size_t i = 0; i < waiting.size(); ++i)
      number[static_cast<std::size_t>(waiting[i])] = static_cast<int>(i);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      missing[i] = needs[i].size();
      for (const int other : needs[i])
        waiters[static_cast<std::size_t>(number[static_cast<std::size_t>(other)])].push_back(i);
    }
    std::set<std::size_t> ready;  // as written
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (missing[i] == 0) ready.insert(i);
    std::vector<bool> placed(count_, false);
    while (!ready.empty()) {
      const std::size_t next = *ready.begin();
      ready.erase(ready.begin());
      placed[static_cast<std::size_t>(waiting[next])] = true;
      graph_.optimizers.push_back(waiting[next]);
      for (const std::size_t waiter : waiters[next])
        if (--missing[waiter] == 0) ready.insert(waiter);
    }
    if (graph_.optimizers.size() == waiting.size()) return true;
    report_ring(waiting, needs, placed);
    return false;
  }

  void report_ring(const std::vector<int>& optimizers, const std::vector<std::vector<int>>& needs,
                   const std::vector<bool>& placed) {
    // Every one that is left waits for one that is left: going on from any of them leads into a ring.
    const auto next = [&](int optimizer) {
      const auto at = std::find(optimizers.begin(), optimizers.end(), optimizer) - optimizers.begin();
      for (const int other : needs[static_cast<std::size_t>(at)])
        if (!placed[static_cast<std::size_t>(other)]) return other;
      return optimizer;
    };
    int first = *std::find_if(optimizers.begin(), optimizers.end(),
                              [&](int o) { return !placed[static_cast<std::size_t>(o)]; });
    for (std::size_t i = 0; i < optimizers.size(); ++i) first = next(first);
    std::vector<int> ring;
    for (int now = first; ring.empty() || now != first; now = next(now)) ring.push_back(now);
    std::string names;
    for (const int member : ring) names += "'" + node(member).id() + "' waits for ";
    Diagnostic& diagnostic =
        diagnostics_.error("optimizer-ring", node(first).entry.id_span,
                           "these optimisers wait for each other: " + names + "'" + node(first).id() + "'");
    for (std::size_t i = 1; i < ring.size(); ++i)
      diagnostic.note("'" + node(ring[i]).id() + "' is defined here", node(ring[i]).entry.id_span);
    diagnostic.suggest(
        "optimisers run one after the other; to move two pictures at once is not possible, to go on from a "
        "finished one is");
  }

  /// Sets `loop` of the nodes between the canvas and the losses, and reports losses that the canvas is not
  /// in.
  void find_loop(int k) {
    const int optimizer = graph_.optimizers[static_cast<std::size_t>(k)];
    node(optimizer).loop = k;
    std::vector<int> losses;
    for_each_wire(node(optimizer), [&](const InputPort& port, const Wire& wire) {
      if (port.kind == PortKind::loss) losses.push_back(wire.node);
    });
    std::vector<int> before = reach(
        std::move(losses), [&](int index) { return !is_optimizer(index) && depends_on(index, optimizer); });
    std::sort(before.begin(), before.end(), [&](int a, int b) {
      return rank_[static_cast<std::size_t>(a)] < rank_[static_cast<std::size_t>(b)];
    });
    const auto on_canvas = [&](int index) { return on_canvas_[static_cast<std::size_t>(index)] == k; };
    for (const int index : before) {
      if (is_optimizer(index)) continue;
      for_each_wire(node(index), [&](const InputPort&, const Wire& wire) {
        const bool own = wire.node == optimizer && from_canvas(node(wire.node), wire);
        if (own || on_canvas(wire.node)) on_canvas_[static_cast<std::size_t>(index)] = k;
      });
      if (on_canvas(index)) node(index).loop = k;
    }
    for_each_wire(node(optimizer), [&](const InputPort& port, const Wire& wire) {
      if (port.kind == PortKind::loss && !on_canvas(wire.node)) report_constant(wire, node(optimizer));
    });
  }

  void report_constant(const Wire& wire, const Node& optimizer) {
    if (depends_on_unlinked(wire.node)) return;
    const Node& loss = node(wire.node);
    diagnostics_
        .error("constant-loss", wire.span,
               "the loss '" + loss.id() +
                   "' does not depend on the picture that is optimised, so it cannot change it")
        .note("'" + loss.id() + "' is defined here", loss.entry.id_span)
        .suggest("somewhere before it, an input must be '" + optimizer.id() + ".canvas'");
  }

  /// A wire that could not be linked has been reported; what would have come through it is unknown.
  bool depends_on_unlinked(int start) {
    std::vector<bool> marks(count_, false);
    mark(start, marks, [](int) { return true; });
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

  static bool runs_at_level(const Node& node) {
    return node.type->sink || std::any_of(node.kinds.begin(), node.kinds.end(), [](PortKind kind) {
             return kind == PortKind::picture || kind == PortKind::network_input;
           });
  }

  void find_straight() {
    // Earliest: how many loops must be finished.
    std::vector<int> level(count_, 0);
    for (const int index : sorted_) {
      if (is_optimizer(index)) continue;
      for_each_wire(node(index), [&](const InputPort&, const Wire& wire) {
        const int from =
            is_optimizer(wire.node) ? node(wire.node).loop + 1 : level[static_cast<std::size_t>(wire.node)];
        level[static_cast<std::size_t>(index)] = std::max(level[static_cast<std::size_t>(index)], from);
      });
    }
    // Latest: the first who reads it outside of its loop. Losses stand after their optimiser in sorted_, so
    // the optimisers' wishes come first.
    std::vector<int> latest(count_, never);
    const auto wish = [&](const Wire& wire, int stretch) {
      int& there = latest[static_cast<std::size_t>(wire.node)];
      there = std::min(there, stretch);
    };
    for (const int optimizer : graph_.optimizers)
      for_each_wire(node(optimizer), [&](const InputPort& port, const Wire& wire) {
        if (port.kind != PortKind::loss) wish(wire, node(optimizer).loop);
      });
    for (auto index = sorted_.rbegin(); index != sorted_.rend(); ++index) {
      Node& now = node(*index);
      if (is_optimizer(*index)) continue;
      const auto i = static_cast<std::size_t>(*index);
      if (now.type->sink) latest[i] = level[i];
      if (latest[i] != never) {
        const int stretch = runs_at_level(now) ? level[i] : std::max(level[i], latest[i]);
        now.straight = straight_section(stretch);
        for_each_wire(now, [&](const InputPort&, const Wire& wire) { wish(wire, stretch); });
      }
      if (now.loop >= 0)
        for_each_wire(now, [&](const InputPort&, const Wire& wire) {
          if (node(wire.node).loop != now.loop) wish(wire, now.loop);
        });
    }
  }

  void list_in_order() {
    for (const int index : sorted_) {
      if (node(index).straight >= 0) graph_.order.push_back({index, node(index).straight});
      if (node(index).loop >= 0) graph_.order.push_back({index, loop_section(node(index).loop)});
    }
    std::stable_sort(graph_.order.begin(), graph_.order.end(),
                     [](const Placed& a, const Placed& b) { return a.section < b.section; });
  }

  void warn_about_unused() {
    for (const Node& unused : graph_.nodes) {
      if (unused.used || unused.type == nullptr) continue;
      diagnostics_.warning(
          "unused-node", unused.entry.id_span,
          "'" + unused.id() + "' is not used: no Save and no Optimizer depends on it, so it will not run");
    }
  }

  Graph& graph_;
  Diagnostics& diagnostics_;
  std::size_t count_;
  std::vector<int> sorted_;
  std::vector<std::size_t> rank_;  // in sorted_, by node
  std::vector<Reached> reached_;   // by node
  std::vector<int> on_canvas_;     // the last loop whose canvas the node depends on, by node; -1 none
  std::vector<int> walks_;         // the last walk that came by, by node
  int walk_ = 0;
};

}  // namespace

void infer_sections(Graph& graph, Diagnostics& diagnostics) { SectionInference(graph, diagnostics).run(); }

}  // namespace gramflow
