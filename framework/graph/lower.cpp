// Lowering in two walks over the used nodes. Consumers first: each node asks its producers for the layers it
// needs, so that VGGExtract knows how deep to go. Producers first, section by section: each node emits its
// operations. An optimiser comes first in its loop; the losses find it afterwards. A node of a loop that
// something behind the loop reads is lowered twice; a reader gets what was made in its own loop, or else the
// straight one.
#include "framework/graph/lower.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "framework/base/error.h"

namespace gramflow {
namespace {

using Demands = std::vector<std::vector<LayerDemand>>;  // by node

class Demand final : public DemandContext {
 public:
  Demand(const Graph& graph, Demands& demands) : graph_(graph), demands_(demands) {}

  void run() {
    // An optimiser comes early in the order but consumes losses, which demand nothing of their own accord.
    for (auto placed = graph_.order.rbegin(); placed != graph_.order.rend(); ++placed) {
      current_ = placed->node;
      if (node().type->demand) node().type->demand(*this);
    }
  }
  const Node& node() const override { return graph_.nodes[static_cast<std::size_t>(current_)]; }
  const std::vector<LayerDemand>& demanded() const override {
    return demands_[static_cast<std::size_t>(current_)];
  }
  void demand(std::string_view input, const LayerDemand& layer) override {
    for (std::size_t p = 0; p < node().inputs.size(); ++p) {
      if (node().type->inputs[p].name != input) continue;
      for (const Wire& wire : node().inputs[p]) {
        std::vector<LayerDemand>& list = demands_[static_cast<std::size_t>(wire.node)];
        if (known_.insert({wire.node, layer.layer}).second) list.push_back(layer);
      }
    }
  }

 private:
  const Graph& graph_;
  Demands& demands_;
  std::set<std::pair<int, std::string>> known_;  // node and layer
  int current_ = -1;
};

struct LoweringStopped {};

class Lowering final : public LowerContext {
 public:
  Lowering(const Graph& graph, Diagnostics& diagnostics, Demands demands)
      : graph_(graph),
        diagnostics_(diagnostics),
        demands_(std::move(demands)),
        in_loop_(graph.nodes.size()),
        straight_(graph.nodes.size()),
        failed_(graph.nodes.size()) {
    lowered_.run_state = std::make_shared<RunState>();
  }

  Lowered run() {
    for (const auto& [index, section] : graph_.order) {
      current_ = index;
      section_ = section;
      const Node& now = node();
      values_of(index).resize(now.type->outputs.size());
      // What depends on a failed node could only repeat its message, and so could a failed node itself.
      if (failed_[static_cast<std::size_t>(index)] || depends_on_failure(now)) {
        failed_[static_cast<std::size_t>(index)] = true;
        continue;
      }
      const std::size_t errors = diagnostics_.error_count(), missing = lowered_.missing_files;
      try {
        now.type->lower(*this);
      } catch (const LoweringStopped&) {
      } catch (const MissingResource& problem) {
        explain(error("missing-file", file_key(), first_line(problem.what())), problem.what());
      } catch (const RunError& problem) {
        explain(error("unreadable-file", file_key(), first_line(problem.what())), problem.what());
      }
      if (diagnostics_.error_count() - errors > lowered_.missing_files - missing)
        failed_[static_cast<std::size_t>(index)] = true;
    }
    return std::move(lowered_);
  }

  const Node& node() const override { return graph_.nodes[static_cast<std::size_t>(current_)]; }
  int section() const override { return section_; }
  const std::string& directory() const override { return graph_.directory; }
  Diagnostics& diagnostics() override { return diagnostics_; }
  const std::vector<LayerDemand>& demanded() const override {
    return demands_[static_cast<std::size_t>(current_)];
  }

  std::vector<const PortValue*> inputs(std::string_view port) const override {
    std::vector<const PortValue*> result;
    for (std::size_t p = 0; p < node().inputs.size(); ++p)
      if (node().type->inputs[p].name == port)
        for (const Wire& wire : node().inputs[p])
          result.push_back(&values_of(wire.node)[static_cast<std::size_t>(wire.output)]);
    return result;
  }
  const PortValue* input(std::string_view port) const override {
    const std::vector<const PortValue*> all = inputs(port);
    return all.empty() ? nullptr : all.front();
  }
  const Node* source(std::string_view port, std::size_t wire) const override {
    for (std::size_t p = 0; p < node().inputs.size(); ++p)
      if (node().type->inputs[p].name == port && wire < node().inputs[p].size())
        return &graph_.nodes[static_cast<std::size_t>(node().inputs[p][wire].node)];
    return nullptr;
  }
  const TensorDesc& desc(TensorId tensor) const override { return lowered_.program.desc(tensor); }

  std::vector<TensorId> emit(OpPtr op, std::vector<TensorId> inputs, std::string step, Span span) override {
    Operation operation;
    operation.op = std::move(op);
    operation.inputs = std::move(inputs);
    operation.origin = {node().id(), node().entry.id_span};
    operation.label = step.empty() ? node().id() : node().id() + "/" + step;
    operation.section = section_;
    operation.writes = std::exchange(will_write_, "");
    try {
      return lowered_.program.append(std::move(operation)).outputs;
    } catch (const ShapeError& problem) {
      const std::string where = step.empty() ? "" : " (" + step + ")";
      Diagnostic& diagnostic =
          diagnostics_.error("shapes", span.known() ? span : node().entry.id_span,
                             node().type->name + " '" + node().id() + "'" + where + ": " + problem.what());
      for (std::size_t p = 0; p < node().inputs.size(); ++p)
        for (const Wire& wire : node().inputs[p]) {
          const Node& from = graph_.nodes[static_cast<std::size_t>(wire.node)];
          diagnostic.note("'" + node().type->inputs[p].name + "' comes from '" + from.id() + "'",
                          from.entry.id_span);
        }
      throw LoweringStopped();
    }
  }
  const std::shared_ptr<RunState>& run_state() const override { return lowered_.run_state; }
  void run_every(std::int64_t every) override {
    if (section_ > 0) lowered_.program.operations.back().every = every;
  }
  void uses_file(std::string_view key, const std::string& path, bool writes, const std::string& what,
                 bool numbered) override {
    note_use({what, path, writes, node().id(), node().span_of(key)});
    std::error_code problem;
    const std::filesystem::path plain = std::filesystem::absolute(path, problem).lexically_normal();
    std::string real = std::filesystem::weakly_canonical(plain, problem).string();
    if (problem) real = plain.string();
    for (auto [use, last] = files_.equal_range(real); use != last; ++use) {
      const FileUse& other = use->second;
      if (!writes && !other.writes) continue;
      if (numbered && !counted_alike(other.section)) continue;
      Diagnostic& diagnostic =
          error("file-used-twice", key,
                writes && other.writes ? "'" + path + "' is written by another node, too"
                : writes               ? "'" + path + "' is read by this pipeline and would be overwritten"
                                       : "'" + path + "' is overwritten by this pipeline");
      diagnostic.note("'" + other.node + "' " + (other.writes ? "writes" : "reads") + " it", other.span);
      diagnostic.suggest("choose another name");
      break;
    }
    if (writes) will_write_ = path;
    // One that reads is enough to know of.
    if (writes || !files_.contains(real))
      files_.emplace(real, FileUse{node().id(), node().span_of(key), writes, section_});
  }
  void missing_file(std::string_view key, const std::string& text) override {
    if (!told_missing_.insert(current_).second) return;  // a node that is lowered twice
    explain(error("missing-file", key, first_line(text)), text);
    ++lowered_.missing_files;
  }
  void set_output(std::string_view port, PortValue value) override {
    for (std::size_t i = 0; i < node().type->outputs.size(); ++i)
      if (node().type->outputs[i].name == port) values_of(current_)[i] = std::move(value);
  }
  void add_loss(TensorId scalar, std::string layer) override {
    if (is_loop(section_))
      lowered_.program.loops[static_cast<std::size_t>(loop_of(section_))].losses.push_back(
          {node().id(), std::move(layer), scalar});
  }
  TensorId optimize(TensorId start, Optimization optimization) override {
    Program& program = lowered_.program;
    // Loops whose optimiser failed keep their place.
    program.loops.resize(static_cast<std::size_t>(loop_of(section_)) + 1);
    lowered_.optimizations.resize(program.loops.size());
    Loop& loop = program.loops.back();
    loop.node = node().id();
    loop.start = start;
    loop.canvas = program.add_tensor(program.desc(start), node().id() + ".canvas");
    if (optimization.wants_moments) loop.moments_from = loop_with_moments(optimization, start);
    const auto floats = optimization.make_method()->state_floats(program.desc(start).shape.elements());
    loop.state = program.add_tensor({{1, 1, static_cast<std::int64_t>(floats)}, ElementType::f32},
                                    node().id() + ".state");
    lowered_.optimizations.back() = std::move(optimization);
    return loop.canvas;
  }

 private:
  void note_use(UsedFile file) {
    const bool known = std::any_of(lowered_.files.begin(), lowered_.files.end(), [&](const UsedFile& other) {
      return other.path == file.path && other.writes == file.writes &&
             (!file.writes || other.node == file.node);
    });
    if (!known) lowered_.files.push_back(std::move(file));
  }

  /// The first of a chain has nothing to take over. Where there is no chain, that is told.
  int without_moments() {
    const auto optimizers = std::count_if(graph_.nodes.begin(), graph_.nodes.end(),
                                          [](const Node& other) { return other.type->optimizer; });
    if (optimizers == 1)
      diagnostics_.warning(
          "unused-parameter", node().span_of("carry"),
          "'carry: moments' has no effect where no optimiser starts from another; stages of a "
          "schedule hand on the picture alone");
    return -1;
  }

  /// The loop whose moments one of this space that starts at `start` can take over; -1 after saying why not.
  int loop_with_moments(const Optimization& optimization, TensorId start) {
    const std::vector<int> from = canvases_behind(lowered_.program, start);
    std::string problem;
    if (from.empty()) return without_moments();
    if (from.size() > 1)
      problem = "'start' comes from several optimisers, and only one can hand its moments on";
    else if (const Optimization& other = lowered_.optimizations[static_cast<std::size_t>(from.front())];
             other.method != optimization.method || other.make_method == nullptr)
      problem = "'" + other.node + "' has no moments to hand on; its method is " + other.method;
    else if (other.space.convention != optimization.space.convention)
      problem = "the canvas of '" + other.node + "' is in other numbers, so its moments mean something else";
    if (problem.empty()) return from.front();
    error("no-moments", "carry", problem).suggest("'carry: canvas'");
    return -1;
  }

  /// Of what was thrown about a file the first line is the message, the others explain it.
  static std::string first_line(const std::string& what) { return what.substr(0, what.find('\n')); }
  static void explain(Diagnostic& diagnostic, const std::string& what) {
    std::istringstream lines(what);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line))
      if (const std::size_t text = line.find_first_not_of(' '); text != std::string::npos)
        diagnostic.note(line.substr(text));
  }
  const char* file_key() const { return node().value_of("path") != nullptr ? "path" : "network"; }

  /// What a node gave, as the present section sees it.
  std::vector<PortValue>& values_of(int index) {
    return (sees_loop(index) ? in_loop_ : straight_)[static_cast<std::size_t>(index)];
  }
  const std::vector<PortValue>& values_of(int index) const {
    return (sees_loop(index) ? in_loop_ : straight_)[static_cast<std::size_t>(index)];
  }
  /// Optimisers give the same canvas everywhere.
  bool sees_loop(int index) const {
    const Node& from = graph_.nodes[static_cast<std::size_t>(index)];
    return from.type->optimizer || (from.loop >= 0 && section_ == loop_section(from.loop));
  }

  bool depends_on_failure(const Node& now) const {
    for (std::size_t p = 0; p < now.inputs.size(); ++p) {
      if (now.type->optimizer && now.type->inputs[p].kind == PortKind::loss) continue;
      for (const Wire& wire : now.inputs[p])
        if (!wire.linked() || failed_[static_cast<std::size_t>(wire.node)]) return true;
    }
    return false;
  }

  struct FileUse {
    std::string node;
    Span span;
    bool writes;
    int section;
  };

  /// Whether what stands there may see the same number of iterations as what stands here.
  bool counted_alike(int section) const {
    const auto numbers = [&](int s) -> std::pair<std::int64_t, std::int64_t> {
      if (s == 0) return {0, 0};
      const Optimization& loop =
          lowered_.optimizations[static_cast<std::size_t>(loop_of(is_loop(s) ? s : s - 1))];
      return {loop.first_iteration + 1, loop.first_iteration + loop.iterations};
    };
    const auto [first, last] = numbers(section_);
    const auto [other_first, other_last] = numbers(section);
    return first <= other_last && other_first <= last;
  }

  const Graph& graph_;
  Diagnostics& diagnostics_;
  Demands demands_;
  std::unordered_multimap<std::string, FileUse> files_;     // by path, links followed
  std::vector<std::vector<PortValue>> in_loop_, straight_;  // by node, by output
  std::vector<bool> failed_;
  std::set<int> told_missing_;  // nodes
  std::string will_write_;      // what the next operation that is emitted writes
  Lowered lowered_;
  int current_ = -1;
  int section_ = 0;
};

}  // namespace

std::vector<LayerDemand> DemandContext::listed(std::string_view key) const {
  std::vector<LayerDemand> result;
  const Value* value = node().value_of(key);
  if (value == nullptr) return result;
  const auto add = [&](const Value& item) {
    if (const Value::Scalar* scalar = item.scalar()) result.push_back({scalar->text, item.span});
  };
  if (const Value::List* list = value->list())
    for (const ValuePtr& item : *list) add(*item);
  else
    add(*value);
  return result;
}

Diagnostic& LowerContext::error(std::string code, std::string_view key, std::string message) {
  Diagnostic& diagnostic = diagnostics().error(std::move(code), node().span_of(key), std::move(message));
  if (const Value* value = node().value_of(key))
    for (const Note& note : value->notes) diagnostic.note(note.message, note.span);
  for (const Note& note : node().entry.notes) diagnostic.note(note.message, note.span);
  return diagnostic;
}

Lowered lower(const Graph& graph, Diagnostics& diagnostics) {
  Demands demands(graph.nodes.size());
  Demand(graph, demands).run();
  return Lowering(graph, diagnostics, std::move(demands)).run();
}

}  // namespace gramflow
