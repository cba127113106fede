#include "framework/config/pipeline_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <new>
#include <set>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/checks.h"
#include "framework/config/files.h"
#include "framework/config/read_pipeline.h"
#include "framework/config/subgraph.h"
#include "framework/config/untrusted_path.h"
#include "framework/config/written_path.h"
#include "framework/config/yaml_reader.h"

// Included files are read first, depth first, each once: the variables of the including file win over theirs,
// while a node or subgraph that two files define is a mistake. Which file includes which is kept as a chain
// to show a ring.

namespace gramflow {
namespace {

constexpr std::size_t most_files = 200;
const std::vector<std::string> top_keys = {"version", "include",  "vars",      "subgraphs",
                                           "nodes",   "schedule", "checkpoint"};

/// Whether a file says of itself what only pipelines say: 'version: 1', 'nodes:' or 'subgraphs:' at its top.
bool looks_like_pipeline(std::string_view text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    std::string line;  // without spaces, quotes and the bracket of a file in one line
    for (const char letter : text.substr(begin, std::min<std::size_t>(end - begin, 100)))
      if (letter != '"' && letter != '\'' && letter != '{' && (letter != ' ' || line.empty())) line += letter;
    if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    const bool version = line.starts_with("version:1") &&
                         (line.size() == 9 || line[9] < '0' || line[9] > '9') &&
                         !line.starts_with("version:1.");
    if (version || line.starts_with("nodes:") || line.starts_with("subgraphs:")) return true;
    begin = end + 1;
  }
  return false;
}

class FileReader {
 public:
  FileReader(const PipelineSource& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  Declarations run() {
    read(source_.file, true);
    if (result_.stages.empty()) result_.stages.emplace_back();
    return std::move(result_);
  }

 private:
  struct Including {
    std::string path;  ///< made comparable
    std::string name;
    Span span;  ///< of the include that led here
  };

  static std::string identity(const std::string& path) {
    std::error_code error;
    const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
    return error ? path : canonical.string();
  }

  void read(const std::shared_ptr<const SourceFile>& file, bool main, const Span& included_at = {}) {
    chain_.push_back({identity(file->name()), file->name(), included_at});
    seen_.insert(chain_.back().path);
    const ValuePtr root = parse_yaml(file, diagnostics_);
    if (root != nullptr) read_top(*root, file, main);
    chain_.pop_back();
  }

  void read_top(const Value& root, const std::shared_ptr<const SourceFile>& file, bool main) {
    const Span start{file, {1, 1}, {1, 1}};
    if (root.is_null()) {
      diagnostics_.error("empty-file", start, "this file is empty; a pipeline has 'version: 1' and 'nodes:'");
      return;
    }
    if (root.map() == nullptr) {
      Diagnostic& diagnostic =
          report_type(root, "a pipeline file", "a map with 'version: 1' and 'nodes:'", diagnostics_);
      const Value::Scalar* text = root.scalar();
      const std::size_t colon = text != nullptr ? text->text.find(':') : std::string::npos;
      if (colon != std::string::npos) diagnostic.suggest("put a space behind the ':'");
      return;
    }
    check_keys(*root.map(), top_keys, "at the top of a pipeline", diagnostics_);
    check_version(root, start);
    if (const Entry* include = root.find("include")) read_includes(*include);
    if (const Entry* variables = root.find("vars")) read_variables(*variables, main);
    if (const Entry* subgraphs = root.find("subgraphs")) read_subgraphs(*subgraphs);
    if (const Entry* nodes = root.find("nodes")) read_nodes(*nodes, main);
    if (main && result_.nodes_span.file == nullptr) result_.nodes_span = start;
    if (const Entry* schedule = root.find("schedule")) read_schedule(*schedule, main);
    if (const Entry* checkpoint = root.find("checkpoint")) read_checkpoint(*checkpoint, main);
  }

  void check_version(const Value& root, const Span& start) {
    const Entry* version = root.find("version");
    if (version == nullptr) {
      for (const Entry& entry : *root.map())
        if (closest_match(entry.key, std::vector<std::string>{"version"}) != "")
          return;  // reported as unknown
      diagnostics_.error("missing-version", start, "there is no 'version' in this file")
          .suggest("add 'version: 1' as its first line");
      return;
    }
    const Value::Scalar* text = version->value->scalar();
    if (text != nullptr && !text->quoted && text->text == "1") return;
    diagnostics_
        .error("bad-version", version->value->span,
               fmt::format("{} was found; this program reads version 1", version->value->describe()))
        .suggest("write 'version: 1'");
  }

  /// Whether a section is a map; an empty one ("vars:") is fine.
  bool is_section(const Entry& entry, const std::string& expected) {
    if (entry.value->map() != nullptr) return true;
    if (!entry.value->is_null()) report_type(*entry.value, "'" + entry.key + "'", expected, diagnostics_);
    return false;
  }

  void read_includes(const Entry& include) {
    if (include.value->scalar() != nullptr) return read_include(*include.value);
    const Value::List* items = include.value->list();
    if (items == nullptr) {
      report_type(*include.value, "'include'", "a path or a list of paths", diagnostics_);
      return;
    }
    for (const ValuePtr& item : *items) {
      if (item->scalar() != nullptr) {
        read_include(*item);
      } else {
        report_type(*item, "an entry of 'include'", "a path", diagnostics_);
      }
    }
  }

  void read_include(const Value& value) {
    const std::string& written = value.scalar()->text;
    if (written.find('$') != std::string::npos) {
      diagnostics_.error("bad-include", value.span, "variables cannot be used in 'include'")
          .suggest("write the path itself");
      return;
    }
    if (source_.untrusted)
      if (const std::string problem = untrusted_spelling_problem(written); !problem.empty())
        return refuse_untrusted(value, problem);
    std::vector<std::string> places;
    for (const std::string& folder : folders_beside(chain_.back().name))
      places.push_back(folder.empty() ? "." : folder);
    places.insert(places.end(), source_.include_folders.begin(), source_.include_folders.end());
    std::string found;
    std::error_code error;
    for (const std::string& folder : places) {
      const std::string path = (std::filesystem::path(folder) / written).lexically_normal().string();
      if (std::filesystem::exists(path, error)) {
        found = path;
        break;
      }
    }
    if (found.empty() || written.empty()) {
      std::vector<std::string> near;
      for (const std::string& folder : places) {
        const std::vector<std::string> files =
            yaml_files_in((std::filesystem::path(folder) / written).parent_path().string());
        near.insert(near.end(), files.begin(), files.end());
      }
      diagnostics_
          .error("bad-include", value.span,
                 fmt::format("there is no file {}; looked in {}", quote(written, 200), join_words(places)))
          .suggest(did_you_mean(std::filesystem::path(written).filename().string(), near));
      return;
    }
    if (source_.untrusted)
      if (const std::string problem = untrusted_place_problem(found, folder_of(source_.file->name()));
          !problem.empty())
        return refuse_untrusted(value, problem);
    const std::string path = identity(found);
    const auto ring = std::find_if(chain_.begin(), chain_.end(),
                                   [&](const Including& including) { return including.path == path; });
    if (ring != chain_.end()) return report_ring(ring, value);
    if (seen_.contains(path)) return;
    if (seen_.size() >= most_files) {
      diagnostics_.error("bad-include", value.span,
                         fmt::format("more than {} files are included", most_files));
      return;
    }
    if (!std::filesystem::is_regular_file(found, error)) {
      diagnostics_.error("bad-include", value.span,
                         fmt::format("{} is no file; a pipeline was expected", quote(written, 200)));
      return;
    }
    try {
      const PipelineSource included = read_pipeline(found);
      if (!looks_like_pipeline(included.file->text())) {
        // Nothing of it is shown: it may be anybody's file.
        diagnostics_.error("bad-include", value.span, fmt::format("{} is no pipeline", quote(written, 200)))
            .suggest("a pipeline has a line 'version: 1'");
        return;
      }
      result_.included.push_back(found);
      read(included.file, false, value.span);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& problem) {
      diagnostics_.error("bad-include", value.span, problem.what());
    }
  }

  void refuse_untrusted(const Value& value, const std::string& problem) {
    diagnostics_
        .error("untrusted", value.span,
               quote(value.scalar()->text, 200) + " " + problem + ", which --untrusted does not allow")
        .suggest("put the file beside the pipeline; or, if you trust it, run it without --untrusted");
  }

  void report_ring(std::vector<Including>::const_iterator first, const Value& value) {
    std::string ring;
    for (auto file = first; file != chain_.end(); ++file) ring += one_line(file->name) + " -> ";
    Diagnostic& diagnostic =
        diagnostics_
            .error("include-ring", value.span, "files include each other: " + ring + one_line(first->name))
            .suggest("remove this include");
    for (auto file = first + 1; file != chain_.end(); ++file)
      diagnostic.note(fmt::format("{} is included here", one_line(file->name)), file->span);
  }

  void read_variables(const Entry& section, bool main) {
    if (!is_section(section, "a map of names and values")) return;
    for (const Entry& entry : *section.value->map()) {
      if (!is_variable_name(entry.key)) {
        diagnostics_
            .error("bad-name", entry.key_span,
                   fmt::format("{} cannot be the name of a variable; letters, digits and '_' can",
                               quote(entry.key)))
            .suggest(name_hint(entry.key));
        continue;
      }
      Variable variable;
      variable.value = entry.value;
      variable.name_span = entry.key_span;
      result_.variables.insert_or_assign(entry.key,
                                         std::move(variable));  // the including file comes later and wins
      if (main) result_.main_variables.push_back(entry.key);
    }
  }

  void read_subgraphs(const Entry& section) {
    if (!is_section(section, "a map of names and subgraphs")) return;
    for (const Entry& entry : *section.value->map()) {
      Subgraph subgraph = read_subgraph(entry, diagnostics_);
      const auto [first, fresh] = result_.subgraphs.emplace(entry.key, std::move(subgraph));
      if (fresh) continue;
      diagnostics_
          .error("duplicate-subgraph", entry.key_span,
                 fmt::format("there are two subgraphs {}", quote(entry.key)))
          .suggest("rename one of them")
          .note("the other one", first->second.name_span);
    }
  }

  void read_nodes(const Entry& section, bool main) {
    if (main) result_.nodes_span = section.key_span;
    if (section.value->list() != nullptr) {
      report_type(*section.value, "'nodes'", "a map of ids and nodes", diagnostics_)
          .suggest("write 'name: {type: ...}' instead of '- ...'");
      return;
    }
    if (!is_section(section, "a map of ids and nodes")) return;
    for (const Entry& entry : *section.value->map()) result_.nodes.push_back(entry);
  }

  void read_schedule(const Entry& section, bool main) {
    if (!main) {
      diagnostics_
          .error("bad-schedule", section.key_span,
                 "an included file has a schedule; only the main file can have one")
          .suggest("move it to the main file");
      return;
    }
    if (section.value->is_null()) return;
    const Value::List* stages = section.value->list();
    if (stages == nullptr) {
      report_type(*section.value, "'schedule'", "a list of stages", diagnostics_)
          .suggest("write '- {set: {size: 256}}' for each stage");
      return;
    }
    constexpr std::size_t most_stages = 100;
    if (stages->size() > most_stages) {
      diagnostics_.error(
          "bad-schedule", section.value->span,
          fmt::format("the schedule has {} stages; {} are allowed", stages->size(), most_stages));
      return;
    }
    for (const ValuePtr& stage : *stages) read_stage(*stage);
  }

  void read_checkpoint(const Entry& checkpoint, bool main) {
    if (!main)
      diagnostics_
          .error("bad-checkpoint", checkpoint.key_span,
                 "an included file says where checkpoints go; only the main file can")
          .suggest("move it to the main file");
    else if (!checkpoint.value->is_null())
      result_.checkpoint = checkpoint.value;
  }

  void read_stage(const Value& stage) {
    std::vector<Setting>& settings = result_.stages.emplace_back();
    if (stage.map() == nullptr) {
      report_type(stage, "a stage of the schedule", "a map with 'set'", diagnostics_)
          .suggest("write '- {set: {size: 256}}'");
      return;
    }
    check_keys(*stage.map(), {"set"}, "in a stage of the schedule", diagnostics_);
    const Entry* set = stage.find("set");
    if (set == nullptr || !is_section(*set, "a map of variables and nodes.ID.PARAMETER keys")) return;
    constexpr std::size_t most_settings = 10'000;
    if (set->value->map()->size() > most_settings) {
      diagnostics_.error("bad-schedule", set->key_span,
                         fmt::format("a stage sets more than {} things", most_settings));
      return;
    }
    for (const Entry& entry : *set->value->map()) {
      std::optional<Setting> setting = read_setting(entry.key, entry.key_span, entry.value, diagnostics_);
      if (setting.has_value()) settings.push_back(std::move(*setting));
    }
  }

  const PipelineSource& source_;
  Diagnostics& diagnostics_;
  Declarations result_;
  std::vector<Including> chain_;
  std::set<std::string> seen_;
};

}  // namespace

Declarations read_declarations(const PipelineSource& source, Diagnostics& diagnostics) {
  return FileReader(source, diagnostics).run();
}

}  // namespace gramflow
