#include "pipelines/run/picture_pipeline.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "framework/config/variables.h"

namespace gramflow {
namespace {

ValuePtr scalar(std::string text, bool quoted = false) {
  auto value = std::make_shared<Value>();
  value->data = Value::Scalar{std::move(text), quoted};
  return value;
}

ValuePtr map_of(Value::Map entries) {
  auto value = std::make_shared<Value>();
  value->data = std::move(entries);
  return value;
}

std::string text_of(const Value& node, const std::string& key) {
  const Entry* entry = node.find(key);
  const Value::Scalar* text = entry != nullptr ? entry->value->scalar() : nullptr;
  return text != nullptr ? text->text : "";
}

class Cut {
 public:
  Cut(const Value& root, const NodeTypes& types, const MadePicture& picture)
      : root_(root), types_(types), picture_(picture) {}

  ValuePtr run() {
    const Entry* nodes = root_.find("nodes");
    if (nodes == nullptr || nodes->value->map() == nullptr) return nullptr;
    nodes_ = nodes->value->map();
    schedule_ = list_of("schedule");
    keep(picture_.node);
    Value::Map kept;
    for (const Entry& node : *nodes_)
      if (kept_.contains(node.key)) kept.push_back({node.key, {}, node_value(node)});
    Value::Map top = {{"version", {}, scalar("1")}, {"nodes", {}, map_of(std::move(kept))}};
    if (schedule_ != nullptr && picture_.stage > 0) top.push_back({"schedule", {}, stages()});
    return map_of(std::move(top));
  }

 private:
  const Value::List* list_of(const char* key) const {
    const Entry* entry = root_.find(key);
    return entry != nullptr ? entry->value->list() : nullptr;
  }

  const Value* node_named(const std::string& id) const {
    const auto found =
        std::find_if(nodes_->begin(), nodes_->end(), [&](const Entry& node) { return node.key == id; });
    return found != nodes_->end() ? found->value.get() : nullptr;
  }

  /// A node and all that it needs. Which wires there are may differ between stages.
  void keep(const std::string& reference) {
    const std::string id =
        node_named(reference) != nullptr ? reference : reference.substr(0, reference.rfind('.'));
    const Value* node = node_named(id);
    if (node == nullptr || !kept_.insert(id).second) return;
    const NodeType* type = find_type(types_, text_of(*node, "type"));
    if (type == nullptr || node->map() == nullptr) return;
    const auto is_port = [&](const std::string& key) {
      return std::any_of(type->inputs.begin(), type->inputs.end(),
                         [&](const InputPort& port) { return port.name == key; });
    };
    for (const Entry& entry : *node->map())
      if (is_port(entry.key)) keep_all(*entry.value);
    if (schedule_ == nullptr) return;
    for (const ValuePtr& stage : *schedule_)
      for_settings(*stage, [&](const Entry& setting, const std::string& owner, const std::string& key) {
        if (owner == id && is_port(key)) keep_all(*setting.value);
      });
  }

  void keep_all(const Value& references) {
    if (const Value::Scalar* one = references.scalar()) keep(one->text);
    if (const Value::List* several = references.list())
      for (const ValuePtr& item : *several) keep_all(*item);
  }

  template <class Take>
  static void for_settings(const Value& stage, Take take) {
    const Entry* set = stage.find("set");
    if (set == nullptr || set->value->map() == nullptr) return;
    for (const Entry& entry : *set->value->map()) {
      const std::size_t last = entry.key.rfind('.');
      if (!entry.key.starts_with("nodes.") || last <= 6) continue;
      take(entry, entry.key.substr(6, last - 6), entry.key.substr(last + 1));
    }
  }

  /// What is said anew: the picture's own path, and how far its stage's optimisers came.
  ValuePtr changed(const std::string& id, const std::string& key) const {
    if (id == picture_.node && key == "path") return numbered_path();
    const auto done = picture_.done.find(id);
    return key == "iterations" && done != picture_.done.end() ? scalar(std::to_string(done->second))
                                                              : nullptr;
  }

  /// With numbers in place of {iteration} and {stage}; null for a path without them, which stays as it is written.
  ValuePtr numbered_path() const {
    const Value* node = node_named(picture_.node);
    const std::string written = node != nullptr ? text_of(*node, "path") : "";
    if (written.find('{') == std::string::npos) return nullptr;
    const bool environment = written.find("${") != std::string::npos;
    const std::filesystem::path path(picture_.path);
    return scalar(escape_dollars(environment ? path.filename().string() : path.string()), true);
  }

  /// The first stage's settings stand in the nodes, or the only one's.
  ValuePtr node_value(const Entry& node) const {
    Value::Map entries;
    for (const Entry& entry : *node.value->map()) {
      if (node.key == picture_.node && entry.key == "every") continue;
      const ValuePtr other =
          picture_.stage == 0 || entry.key == "path" ? changed(node.key, entry.key) : nullptr;
      entries.push_back({entry.key, {}, other != nullptr ? other : entry.value});
    }
    if (picture_.stage > 0) return map_of(std::move(entries));
    if (schedule_ != nullptr && !schedule_->empty())
      for_settings(*schedule_->front(),
                   [&](const Entry& setting, const std::string& owner, const std::string& key) {
                     if (owner != node.key || (owner == picture_.node && key == "every")) return;
                     const ValuePtr other = changed(owner, key);
                     put(entries, key, other != nullptr ? other : setting.value);
                   });
    if (picture_.done.contains(node.key)) put(entries, "iterations", changed(node.key, "iterations"));
    return map_of(std::move(entries));
  }

  static void put(Value::Map& entries, const std::string& key, const ValuePtr& value) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    if (found != entries.end())
      found->value = value;
    else
      entries.push_back({key, {}, value});
  }

  ValuePtr stages() const {
    Value::List stages;
    for (int stage = 0; stage <= picture_.stage && static_cast<std::size_t>(stage) < schedule_->size();
         ++stage) {
      Value::Map settings;
      for_settings(
          *(*schedule_)[static_cast<std::size_t>(stage)],
          [&](const Entry& setting, const std::string& owner, const std::string& key) {
            if (!kept_.contains(owner) || (owner == picture_.node && (key == "every" || key == "path")))
              return;
            settings.push_back({setting.key, {}, setting.value});
          });
      if (stage == picture_.stage)
        for (const auto& [id, iterations] : picture_.done)
          if (kept_.contains(id))
            put(settings, "nodes." + id + ".iterations", scalar(std::to_string(iterations)));
      stages.push_back(map_of({{"set", {}, map_of(std::move(settings))}}));
    }
    auto list = std::make_shared<Value>();
    list->data = std::move(stages);
    return list;
  }

  const Value& root_;
  const NodeTypes& types_;
  const MadePicture& picture_;
  const Value::Map* nodes_ = nullptr;
  const Value::List* schedule_ = nullptr;
  std::set<std::string> kept_;
};

}  // namespace

ValuePtr picture_pipeline(const Value& root, const NodeTypes& types, const MadePicture& picture) {
  return Cut(root, types, picture).run();
}

}  // namespace gramflow
