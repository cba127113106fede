// One use of a subgraph becomes several, each at its own size:
//
//   look: {type: restyle, content: c, style: s, size: 512, iterations: [90, 60], scales: {from: 128, factor:
//   2}}
//
//   look/scale128: {..., size: 128, iterations: 90}
//   look/scale256: {..., size: 256, iterations: 90, start: look/scale128}
//   look:          {..., size: 512, iterations: 60, start: look/scale256}
//
// Sizes are the finest one divided by powers of the factor, rounded, as long as they are at least `from`.
// Iterations are read from the finest scale backwards; scales that the list does not reach take its first
// entry. What a scale does with its `size`, its `iterations` and its `start` is the subgraph's business; a
// parameter `first_iteration`, if it has one, is told how many iterations the scales before make together; a parameter
// `carry` is `canvas` at the coarsest scale, which has no other scale's moments to go on with.
#include "framework/config/scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "framework/base/text.h"
#include "framework/config/checks.h"

namespace gramflow {
namespace {

constexpr std::size_t most_scales = 30;
constexpr double least_factor = 1.05;

/// The sides of a finished picture: one number (the longest), or width and height.
using Sides = std::vector<double>;

class Chain {
 public:
  Chain(NodeEntry use, const std::string& local_name, const Subgraph& subgraph,
        const std::function<ValuePtr(const ValuePtr&)>& replaced, Diagnostics& diagnostics)
      : use_(std::move(use)),
        local_name_(local_name),
        subgraph_(subgraph),
        replaced_(replaced),
        diagnostics_(diagnostics) {}

  std::vector<NodeEntry> run() {
    const auto entry = find(scales_key);
    if (entry == use_.entries.end()) return {use_};
    const Entry scales = *entry;
    use_.entries.erase(entry);
    if (scales.value->is_null() && !scales.value->broken) return one_scale();
    if (!read(scales)) return one_scale();
    const ValuePtr size = value_of("size");
    const std::optional<Sides> sides = size != nullptr ? sides_of(*size) : Sides{};
    if (!sides) return one_scale();  // what is wrong with it is told where it is taken
    if (sides->empty()) {
      tell_unknown_size(scales);
      return one_scale();
    }
    return uses(scales, *size, sizes(scales, *sides));
  }

 private:
  std::vector<Entry>::iterator find(std::string_view key) {
    return std::find_if(use_.entries.begin(), use_.entries.end(),
                        [&](const Entry& entry) { return entry.key == key; });
  }

  Diagnostic& report(const Span& place, std::string message) {
    Diagnostic& diagnostic = diagnostics_.error("bad-scales", place, std::move(message));
    diagnostic.notes = use_.notes;
    return diagnostic;
  }

  /// Reads from_ and factor_, and looks whether the subgraph can be used so. False after a report.
  bool read(const Entry& scales) {
    if (scales.value->broken || report_yaml_problems(*scales.value, diagnostics_)) return false;
    const Value::Map* map = scales.value->map();
    if (map == nullptr) {
      report_type(*scales.value, "'scales'", "a map with 'from' and 'factor'", diagnostics_)
          .suggest("write 'scales: {from: 128, factor: 2}'");
      return false;
    }
    const std::size_t errors = diagnostics_.error_count();
    check_keys(*map, {"from", "factor"}, "in 'scales'", diagnostics_);
    const Entry* from = scales.value->find("from");
    if (from == nullptr || from->value->is_null()) {
      if (from == nullptr || !from->value->broken)
        report(scales.key_span, "'scales' has no 'from', the smallest size").suggest("write 'from: 128'");
    } else if (read_number(*from->value, "from", from_) && (from_ < 1 || from_ != std::floor(from_))) {
      report(from->value->span,
             fmt::format("'from' is {}; a whole number of pixels was expected", from->value->scalar()->text));
    }
    const Entry* factor = scales.value->find("factor");
    if (factor != nullptr && !factor->value->is_null() && read_number(*factor->value, "factor", factor_) &&
        !(factor_ >= least_factor))
      report(factor->value->span,
             fmt::format("'factor' is {}; each scale must be larger than the one before, by {} at least",
                         factor->value->scalar()->text, least_factor))
          .suggest(factor_ > 0 && factor_ < 1 ? fmt::format("write {:g}", 1 / factor_)
                                              : "2 and 1.414 are usual");
    check_subgraph(scales);
    return diagnostics_.error_count() == errors;
  }

  bool read_number(const Value& value, const char* name, double& number) {
    if (value.broken || report_yaml_problems(value, diagnostics_)) return false;
    const Value::Scalar* scalar = value.scalar();
    if (scalar != nullptr && !scalar->quoted && parse_number(scalar->text, number) && std::isfinite(number))
      return true;
    report_type(value, fmt::format("'{}'", name), "a number", diagnostics_);
    return false;
  }

  static bool has(const std::vector<SubgraphParameter>& names, const char* name) {
    return std::any_of(names.begin(), names.end(), [&](const auto& other) { return other.name == name; });
  }

  void check_subgraph(const Entry& scales) {
    const auto miss = [&](const char* what, const char* hint) {
      report(scales.key_span,
             fmt::format("the subgraph {} has no {}, which 'scales' needs", quote(subgraph_.name), what))
          .suggest(hint)
          .note("the subgraph", subgraph_.name_span);
    };
    if (!has(subgraph_.inputs, "start"))
      miss("input 'start'",
           "give it one, and a default: 'inputs: {content: , start: content}'; each scale starts from the "
           "picture before");
    if (!has(subgraph_.parameters, "size")) miss("parameter 'size'", "each scale gives it another one");
    if (!has(subgraph_.parameters, "iterations"))
      miss("parameter 'iterations'", "give it to the Optimizer inside");
    if (picture_output().empty() && subgraph_.outputs_known)
      miss("output 'image'", "with several outputs, the one of this name is what the next scale starts from");
  }

  /// ".image" behind the name of a use; "-" when the only one needs no name, "" when there is no telling.
  std::string picture_output() const {
    if (subgraph_.outputs.size() == 1) return "-";
    for (const Entry& output : subgraph_.outputs)
      if (output.key == "image") return ".image";
    return "";
  }

  /// As given, or the subgraph's own; null when the subgraph has no default.
  ValuePtr value_of(const char* name) {
    const auto given = find(name);
    if (given != use_.entries.end() && (given->value->broken || !given->value->is_unset_text()))
      return given->value;
    for (const SubgraphParameter& parameter : subgraph_.parameters)
      if (parameter.name == name && parameter.value != nullptr) return replaced_(parameter.value);
    return nullptr;
  }

  /// None of them when the value unsets the size; nothing when it is no size at all.
  static std::optional<Sides> sides_of(const Value& value) {
    if (value.broken) return std::nullopt;
    if (value.is_null()) return Sides{};
    const auto number = [](const Value& side) {
      double pixels = 0;
      const Value::Scalar* scalar = side.scalar();
      const bool good = scalar != nullptr && !scalar->quoted && parse_number(scalar->text, pixels);
      return good && pixels >= 1 && pixels <= 65536 ? pixels : 0.0;
    };
    Sides sides;
    if (const Value::List* list = value.list()) {
      if (list->size() != 2) return std::nullopt;
      if ((*list)[0]->is_null() && (*list)[1]->is_null()) return Sides{};
      for (const ValuePtr& side : *list) sides.push_back(number(*side));
    } else {
      sides.push_back(number(value));
    }
    if (std::find(sides.begin(), sides.end(), 0.0) != sides.end()) return std::nullopt;
    return sides;
  }

  void tell_unknown_size(const Entry& scales) {
    Diagnostic& diagnostic = diagnostics_.warning(
        "bad-scales", scales.key_span,
        fmt::format("'size' of {} is not set, so there is one scale only: that of the pictures as they are",
                    quote(use_.id)));
    diagnostic.suggest("set 'size' to the longest side of the finished picture");
    diagnostic.notes.insert(diagnostic.notes.end(), use_.notes.begin(), use_.notes.end());
  }

  /// The use as it stands, with the iterations of the finest scale.
  std::vector<NodeEntry> one_scale() {
    if (const ValuePtr iterations = value_of("iterations");
        iterations != nullptr && iterations->list() != nullptr)
      put(use_, "iterations", iterations_of(iterations, 0));
    if (has(subgraph_.parameters, "carry")) put(use_, "carry", plain("canvas", use_.id_span));
    return {use_};
  }

  /// Coarse to fine.
  std::vector<Sides> sizes(const Entry& scales, const Sides& finest) {
    const auto longest = [](const Sides& sides) { return *std::max_element(sides.begin(), sides.end()); };
    std::vector<Sides> result = {finest};
    for (double shrink = factor_;; shrink *= factor_) {
      Sides now;
      for (const double side : finest) now.push_back(std::max(1.0, std::round(side / shrink)));
      if (longest(now) < from_ || longest(now) < 1) break;
      if (result.size() == most_scales) {
        report(scales.key_span, fmt::format("these are more than {} scales", most_scales))
            .suggest("a larger 'factor' makes fewer");
        return {finest};
      }
      if (longest(now) < longest(result.front())) result.insert(result.begin(), std::move(now));
      if (longest(result.front()) <= 1) break;
    }
    return result;
  }

  std::vector<NodeEntry> uses(const Entry& scales, const Value& size, const std::vector<Sides>& sizes) {
    std::vector<NodeEntry> result;
    std::string before;
    double iterations_before = 0;
    if (const ValuePtr first = value_of("first_iteration"); first != nullptr && first->scalar() != nullptr)
      parse_number(first->scalar()->text, iterations_before);
    const ValuePtr iterations = value_of("iterations");
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const bool finest = i + 1 == sizes.size();
      const double longest = *std::max_element(sizes[i].begin(), sizes[i].end());
      const std::string name = finest ? "" : fmt::format("/scale{:.0f}", longest);
      NodeEntry use = use_;
      use.id += name;
      put(use, "size", size_value(scales, size, sizes[i]));
      if (!before.empty()) put(use, "start", plain(before, size.span));
      if (before.empty() && has(subgraph_.parameters, "carry"))
        put(use, "carry", plain("canvas", scales.key_span));
      if (iterations != nullptr) {
        const ValuePtr now = iterations_of(iterations, sizes.size() - 1 - i);
        put(use, "iterations", now);
        if (has(subgraph_.parameters, "first_iteration"))
          put(use, "first_iteration", plain(fmt::format("{:.0f}", iterations_before), now->span));
        double count = 0;
        if (now->scalar() != nullptr && parse_number(now->scalar()->text, count) && std::isfinite(count))
          iterations_before += std::clamp(std::floor(count), 0.0, 1e7);
      }
      const std::string output = picture_output();
      before = local_name_ + name + (output == "-" ? "" : output);
      result.push_back(std::move(use));
    }
    return result;
  }

  /// `back`: how many scales are finer.
  static ValuePtr iterations_of(const ValuePtr& iterations, std::size_t back) {
    const Value::List* list = iterations->list();
    if (list == nullptr || list->empty()) return iterations;
    return back < list->size() ? (*list)[list->size() - 1 - back] : list->front();
  }

  static ValuePtr plain(std::string text, const Span& place) {
    auto value = std::make_shared<Value>();
    value->data = Value::Scalar{std::move(text), false};
    value->span = place;
    return value;
  }

  /// In place of the size as written; it comes from what was typed for the size and for the scales.
  ValuePtr size_value(const Entry& scales, const Value& written, const Sides& sides) const {
    auto value = std::make_shared<Value>();
    if (sides.size() == 1) {
      value->data = Value::Scalar{fmt::format("{:.0f}", sides[0]), false};
    } else {
      Value::List list;
      for (const double side : sides) list.push_back(plain(fmt::format("{:.0f}", side), written.span));
      value->data = std::move(list);
    }
    value->span = written.span;
    value->notes = written.notes;
    auto typed = std::make_shared<TypedText>();
    if (const Value::Scalar* scalar = value->scalar()) typed->text = scalar->text;
    add_sources(written, *typed);
    add_sources(*scales.value, *typed);
    if (!typed->sources.empty()) value->typed = std::move(typed);
    return value;
  }

  static void add_sources(const Value& value, TypedText& typed) {
    if (value.span.file != nullptr && value.span.file->typed_for()) typed.sources.push_back(value.span.file);
    for (const Note& note : value.notes)
      if (note.span.file != nullptr && note.span.file->typed_for()) typed.sources.push_back(note.span.file);
    if (value.typed != nullptr)
      typed.sources.insert(typed.sources.end(), value.typed->sources.begin(), value.typed->sources.end());
    if (const Value::List* items = value.list())
      for (const ValuePtr& item : *items) add_sources(*item, typed);
    if (const Value::Map* entries = value.map())
      for (const Entry& entry : *entries) add_sources(*entry.value, typed);
  }

  static void put(NodeEntry& use, const std::string& key, ValuePtr value) {
    for (Entry& entry : use.entries) {
      if (entry.key != key) continue;
      entry.value = std::move(value);
      return;
    }
    const Span place = value->span;
    use.entries.push_back({key, place, std::move(value)});
  }

  NodeEntry use_;
  const std::string& local_name_;
  const Subgraph& subgraph_;
  const std::function<ValuePtr(const ValuePtr&)>& replaced_;
  Diagnostics& diagnostics_;
  double from_ = 0;
  double factor_ = 2;
};

}  // namespace

std::vector<NodeEntry> uses_by_scale(NodeEntry use, const std::string& local_name, const Subgraph& subgraph,
                                     const std::function<ValuePtr(const ValuePtr&)>& replaced,
                                     Diagnostics& diagnostics) {
  return Chain(std::move(use), local_name, subgraph, replaced, diagnostics).run();
}

void refuse_scales(NodeEntry& node, Diagnostics& diagnostics) {
  const auto entry = std::find_if(node.entries.begin(), node.entries.end(),
                                  [](const Entry& other) { return other.key == scales_key; });
  if (entry == node.entries.end()) return;
  Diagnostic& diagnostic = diagnostics.error(
      "bad-scales", entry->key_span,
      fmt::format("'scales' belongs to a use of a subgraph, and {} is none", quote(node.type)));
  diagnostic.suggest("restyle of configs/subgraphs/restyle.yaml takes it, for example");
  diagnostic.notes = node.notes;
  node.entries.erase(entry);
}

}  // namespace gramflow
