#include "framework/graph/untrusted_files.h"

#include "framework/base/text.h"
#include "framework/config/untrusted_path.h"
#include "framework/config/written_path.h"

namespace gramflow {
namespace {

void refuse(const Node& node, std::string_view key, const std::string& path, const std::string& problem,
            Diagnostics& diagnostics) {
  diagnostics
      .error("untrusted", node.span_of(key),
             quote(path, 200) + " " + problem + ", which --untrusted does not allow")
      .suggest("put the file beside the pipeline; or, if you trust it, run it without --untrusted");
}

}  // namespace

void check_untrusted_reads(const Graph& graph, Diagnostics& diagnostics) {
  for (const Node& node : graph.nodes) {
    if (node.type == nullptr) continue;
    for (const Field& field : node.type->parameters.fields()) {
      const Value* value = node.value_of(field.name);
      if (!field.reads_file || value == nullptr || value->scalar() == nullptr || was_typed(*value)) continue;
      const std::string& path = value->typed != nullptr ? value->typed->text : value->scalar()->text;
      if (const std::string problem = untrusted_spelling_problem(path); !problem.empty()) {
        refuse(node, field.name, path, problem, diagnostics);
        continue;
      }
      const FoundFile found = find_written(path, *value, graph.directory);
      const std::string problem =
          found.path.empty() ? "" : untrusted_place_problem(found.path, graph.directory);
      if (!problem.empty()) refuse(node, field.name, path, problem, diagnostics);
    }
  }
}

void check_untrusted_files(const Graph& graph, const std::vector<UsedFile>& files, Diagnostics& diagnostics) {
  bool own_network = false;  // the network that the weights behind it belong to
  for (const UsedFile& file : files) {
    const std::string away = file.writes ? "" : untrusted_place_problem(file.path, graph.directory);
    if (file.what == "network") own_network = away.empty();
    if (file.what == "weights" && own_network && !away.empty())
      refuse(graph.nodes[static_cast<std::size_t>(graph.find(file.node))], "network", file.path, away,
             diagnostics);
    if (!file.writes) continue;
    const Node& node = graph.nodes[static_cast<std::size_t>(graph.find(file.node))];
    const Value* value = node.value_of("path");
    if (value == nullptr || was_typed(*value)) continue;
    std::string problem = untrusted_spelling_problem(file.path);
    if (problem.empty()) problem = untrusted_place_problem(file.path, ".");
    if (!problem.empty()) refuse(node, "path", file.path, problem, diagnostics);
  }
}

}  // namespace gramflow
