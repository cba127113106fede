// A stage's settings are put over what the nodes say, so that two texts that mean the same are the same, however
// they are cut into nodes and schedule.
#include "pipelines/run/pipeline_changes.h"

#include <algorithm>
#include <map>
#include <set>

#include "framework/config/value.h"
#include "framework/config/yaml_reader.h"
#include "framework/config/yaml_writer.h"

namespace gramflow {
namespace {

using Keys = std::map<std::string, std::string>;  // parameter and its value as text
using Nodes = std::map<std::string, Keys>;        // by id

std::vector<Nodes> stages_of(const Value& root) {
  Nodes common;
  if (const Entry* nodes = root.find("nodes"); nodes != nullptr && nodes->value->map() != nullptr)
    for (const Entry& node : *nodes->value->map())
      if (node.value->map() != nullptr)
        for (const Entry& entry : *node.value->map())
          common[node.key][entry.key] = to_flow_yaml(*entry.value);
  const Entry* schedule = root.find("schedule");
  const Value::List* stages = schedule != nullptr ? schedule->value->list() : nullptr;
  if (stages == nullptr) return {common};
  std::vector<Nodes> result;
  for (const ValuePtr& stage : *stages) {
    Nodes& nodes = result.emplace_back(common);
    const Entry* set = stage->find("set");
    if (set == nullptr || set->value->map() == nullptr) continue;
    for (const Entry& entry : *set->value->map()) {
      const std::size_t last = entry.key.rfind('.');
      if (entry.key.starts_with("nodes.") && last > 6)
        nodes[entry.key.substr(6, last - 6)][entry.key.substr(last + 1)] = to_flow_yaml(*entry.value);
    }
  }
  return result;
}

std::string value_of(const Keys& keys, const std::string& key) {
  const auto found = keys.find(key);
  return found == keys.end() ? "not set" : found->second;
}

class Comparison {
 public:
  explicit Comparison(const ReachedPosition& reached) : reached_(reached) {}

  std::vector<PipelineChange> run(const std::vector<Nodes>& before, const std::vector<Nodes>& now) {
    if (before.size() != now.size())
      changes_.push_back({"the schedule has " + std::to_string(now.size()) + " stages, there were " +
                              std::to_string(before.size()),
                          now.size() > static_cast<std::size_t>(reached_.stage)});
    several_ = now.size() > 1;
    for (std::size_t stage = 0; stage < std::min(before.size(), now.size()); ++stage)
      compare(before[stage], now[stage], static_cast<int>(stage));
    return std::move(changes_);
  }

 private:
  void compare(const Nodes& before, const Nodes& now, int stage) {
    std::set<std::string> ids;
    for (const auto& [id, keys] : before) ids.insert(id);
    for (const auto& [id, keys] : now) ids.insert(id);
    for (const std::string& id : ids) {
      const auto old_node = before.find(id), new_node = now.find(id);
      if (old_node == before.end() || new_node == now.end()) {
        const bool added = old_node == before.end();
        const Keys& keys = added ? new_node->second : old_node->second;
        add("node '" + id + "' (" + value_of(keys, "type") + ") is " + (added ? "new" : "gone"), stage,
            value_of(keys, "type") == "Save");
        continue;
      }
      compare(id, old_node->second, new_node->second, stage);
    }
  }

  void compare(const std::string& id, const Keys& before, const Keys& now, int stage) {
    std::set<std::string> names;
    for (const auto& [key, value] : before) names.insert(key);
    for (const auto& [key, value] : now) names.insert(key);
    const bool save = value_of(now, "type") == "Save" && value_of(before, "type") == "Save";
    for (const std::string& key : names) {
      const std::string was = value_of(before, key), is = value_of(now, key);
      if (was == is) continue;
      const bool is_path =
          was.find("xxh128:") != std::string::npos && is.find("xxh128:") != std::string::npos;
      add("nodes." + id + "." + key + ": " + (is_path ? "the file has other contents" : is + ", was " + was),
          stage, save || (key == "iterations" && still_to_come(id, is, stage)));
    }
  }

  bool still_to_come(const std::string& id, const std::string& iterations, int stage) const {
    const int loop = reached_.loop_of(id);
    double count = 0;
    if (loop < 0 || stage != reached_.stage) return false;
    if (loop > reached_.loop) return true;
    return loop == reached_.loop && !reached_.stopped && parse_number(iterations, count) &&
           count >= static_cast<double>(reached_.iteration);
  }

  void add(const std::string& text, int stage, bool harmless) {
    const bool later = stage > reached_.stage;
    const std::string where = several_ && later ? "stage " + std::to_string(stage + 1) + ": " : "";
    const PipelineChange change{where + text, harmless || later};
    const bool known = std::any_of(changes_.begin(), changes_.end(), [&](const PipelineChange& other) {
      return other.text == change.text && other.harmless == change.harmless;
    });
    if (!known) changes_.push_back(change);
  }

  const ReachedPosition& reached_;
  std::vector<PipelineChange> changes_;
  bool several_ = false;
};

}  // namespace

std::vector<PipelineChange> pipeline_changes(const std::string& before, const std::string& now,
                                             const ReachedPosition& reached) {
  if (before == now) return {};
  Diagnostics problems;
  const ValuePtr old_root = parse_yaml(std::make_shared<SourceFile>("checkpoint", before), problems);
  const ValuePtr new_root = parse_yaml(std::make_shared<SourceFile>("pipeline", now), problems);
  if (old_root == nullptr || new_root == nullptr)
    return {{"the pipeline in the checkpoint cannot be read", false}};
  std::vector<PipelineChange> changes = Comparison(reached).run(stages_of(*old_root), stages_of(*new_root));
  std::stable_sort(changes.begin(), changes.end(), [](const PipelineChange& a, const PipelineChange& b) {
    return !a.harmless && b.harmless;
  });
  return changes;
}

std::vector<PipelineChange> source_changes(const std::vector<CheckpointSource>& before,
                                           const std::vector<CheckpointSource>& now) {
  std::vector<PipelineChange> changes;
  const auto holds = [](const std::vector<CheckpointSource>& sources, const CheckpointSource& wanted) {
    return std::any_of(sources.begin(), sources.end(), [&](const CheckpointSource& source) {
      return source.what == wanted.what && source.checksum == wanted.checksum;
    });
  };
  for (const CheckpointSource& source : now)
    if (source.what != "picture" && !holds(before, source))
      changes.push_back({source.what + " " + source.path + ": not what was read before", false});
  return changes;
}

}  // namespace gramflow
