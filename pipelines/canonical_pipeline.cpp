#include "pipelines/canonical_pipeline.h"

#include <algorithm>
#include <filesystem>

#include "framework/checkpoint/content_checksum.h"
#include "framework/config/canonical.h"
#include "framework/config/variables.h"
#include "framework/config/written_path.h"
#include "framework/config/yaml_writer.h"

// Which parameters are texts, and which of them name files, the node types know. A typed text is written down
// letter by letter, since a file's text is read as YAML. A path is looked for as the node will do it; of one
// that is nowhere the first place stands there.

namespace gramflow {
namespace fs = std::filesystem;
namespace {

ValuePtr text_value(const std::string& text) {
  auto value = std::make_shared<Value>();
  value->data = Value::Scalar{escape_dollars(text), true};
  return value;
}

const Field* field_of(const NodeTypes& types, const std::string& type, const std::string& key) {
  const NodeType* found = find_type(types, type);
  if (found == nullptr) return nullptr;
  const std::vector<Field>& fields = found->parameters.fields();
  const auto field =
      std::find_if(fields.begin(), fields.end(), [&](const Field& item) { return item.name == key; });
  return field != fields.end() ? &*field : nullptr;
}

/// A value with all typed texts in it as they are meant; null when it can stand as it is.
ValuePtr typed_texts(const std::string& type, const ValuePtr& value) {
  const auto starts = [&](const char* words) { return type.starts_with(words); };
  if (type == "text")
    return value->typed != nullptr && !value->is_unset_text() ? text_value(value->typed->text) : nullptr;
  const std::string inner = starts("list of ")                ? type.substr(8)
                            : type == "map of names to texts" ? "text"
                                                              : "";
  if (inner.empty()) return nullptr;
  auto result = std::make_shared<Value>();
  bool changed = false;
  const auto take = [&](const ValuePtr& item) {
    const ValuePtr other = typed_texts(inner, item);
    changed = changed || other != nullptr;
    return other != nullptr ? other : with_doubled_dollars(*item);
  };
  if (const Value::List* items = value->list()) {
    Value::List list;
    for (const ValuePtr& item : *items) list.push_back(take(item));
    result->data = std::move(list);
  } else if (const Value::Map* entries = value->map()) {
    Value::Map map;
    for (const Entry& entry : *entries) map.push_back({entry.key, entry.key_span, take(entry.value)});
    result->data = std::move(map);
  }
  return changed ? result : nullptr;
}

/// A network's name is no path.
bool names_file(const std::string& key, const std::string& text) {
  return key != "network" || text.ends_with(".yaml") || text.ends_with(".yml") ||
         text.find('/') != std::string::npos;
}

/// `file` from `folder`, both absolute; as it is when they have nothing in common but the root.
std::string from_folder(const fs::path& file, const fs::path& folder) {
  const fs::path relative = file.lexically_relative(folder);
  const auto ups = std::count(relative.begin(), relative.end(), "..");
  const auto depth = std::distance(folder.begin(), folder.end()) - 1;
  return relative.empty() || ups >= depth ? file.string() : relative.string();
}

fs::path real(const fs::path& path) {
  std::error_code failed;
  const fs::path found = fs::weakly_canonical(path, failed);
  return failed ? fs::absolute(path, failed).lexically_normal() : found;
}

/// The tree with leaves replaced by what `spell` makes of them; null leaves one as it is.
template <class Spell>
ValuePtr replaced(const ValuePtr& value, const Spell& spell) {
  if (ValuePtr other = spell(value.get()); other != nullptr) return other;
  auto result = std::make_shared<Value>(*value);
  if (const Value::List* items = value->list()) {
    Value::List changed;
    for (const ValuePtr& item : *items) changed.push_back(replaced(item, spell));
    result->data = std::move(changed);
  } else if (const Value::Map* entries = value->map()) {
    Value::Map changed;
    for (const Entry& entry : *entries)
      changed.push_back({entry.key, entry.key_span, replaced(entry.value, spell)});
    result->data = std::move(changed);
  }
  return result;
}

/// A text with the environment's values in it as they were written, `${env:NAME}`; "" when there are none in it.
std::string written_with_environment(const Value& value, const std::string& text) {
  std::vector<std::shared_ptr<const SourceFile>> sources;
  if (value.origin != nullptr) sources.push_back(value.origin);
  if (value.typed != nullptr)
    sources.insert(sources.end(), value.typed->sources.begin(), value.typed->sources.end());
  std::string result = escape_dollars(text);
  bool found = false;
  for (const auto& source : sources) {
    if (!source->name().starts_with("${env:") || source->text().empty()) continue;
    const std::string held = escape_dollars(source->text());
    const std::size_t at = result.find(held);
    if (at == std::string::npos) continue;
    result.replace(at, held.size(), source->name());
    found = true;
  }
  return found ? result : "";
}

}  // namespace

CanonicalPipeline::CanonicalPipeline(const PipelineSource& source, const NodeTypes& types,
                                     Diagnostics& diagnostics) {
  const std::string main_folder = fs::path(source.file->name()).parent_path().string();
  const Respell respell = [&](const NodeEntry& node, const Entry& entry) -> ValuePtr {
    const Field* field = field_of(types, node.type, entry.key);
    if (field == nullptr) return note_environment(entry.value, nullptr);
    const Value& value = *entry.value;
    const std::string text = value.typed != nullptr      ? value.typed->text
                             : value.scalar() != nullptr ? value.scalar()->text
                                                         : "";
    if (!field->reads_file || text.empty() || value.is_unset_text() || !names_file(entry.key, text))
      return note_environment(entry.value, typed_texts(field->type, entry.value));
    const FoundFile found = find_written(text, value, main_folder);
    std::error_code failed;
    const std::string path = found.path.empty() ? found.looked.front() : found.path;
    const std::string absolute = fs::absolute(path, failed).lexically_normal().string();
    ValuePtr named = text_value(absolute);  // stages that read different files differ
    kept_.push_back(named);
    files_.emplace(named.get(), absolute);
    if (std::string written = written_with_environment(value, text); !written.empty())
      environment_.emplace(named.get(), std::move(written));
    return named;
  };
  root_ = canonical_value(source, diagnostics, port_test(types), respell);
}

ValuePtr CanonicalPipeline::note_environment(const ValuePtr& value, ValuePtr spelled) {
  const auto holds_environment = [](const Value& leaf) {
    return leaf.scalar() != nullptr && !written_with_environment(leaf, leaf.scalar()->text).empty();
  };
  const auto any = [&](const auto& self, const Value& tree) -> bool {
    if (const Value::List* items = tree.list())
      return std::any_of(items->begin(), items->end(),
                         [&](const ValuePtr& item) { return self(self, *item); });
    if (const Value::Map* entries = tree.map())
      return std::any_of(entries->begin(), entries->end(),
                         [&](const Entry& entry) { return self(self, *entry.value); });
    return holds_environment(tree);
  };
  if (!any(any, *value)) return spelled;
  if (spelled == nullptr) spelled = with_doubled_dollars(*value);
  const auto note = [&](const auto& self, const Value& from, const ValuePtr& to) -> void {
    if (const Value::List* items = from.list(); items != nullptr && to->list() != nullptr)
      for (std::size_t i = 0; i < items->size(); ++i) self(self, *(*items)[i], (*to->list())[i]);
    if (const Value::Map* entries = from.map(); entries != nullptr && to->map() != nullptr)
      for (std::size_t i = 0; i < entries->size(); ++i)
        self(self, *(*entries)[i].value, (*to->map())[i].value);
    if (holds_environment(from))
      environment_.emplace(to.get(), written_with_environment(from, from.scalar()->text));
  };
  note(note, *value, spelled);
  kept_.push_back(spelled);
  return spelled;
}

template <class Spell>
std::string CanonicalPipeline::spelled(const Spell& spell) const {
  if (root_ == nullptr) return "";
  return to_yaml(*replaced(root_, [&](const Value* leaf) -> ValuePtr {
    const auto file = files_.find(leaf);
    return file != files_.end() ? text_value(spell(file->second)) : nullptr;
  }));
}

std::string CanonicalPipeline::here() const {
  std::error_code failed;
  const fs::path folder = fs::current_path(failed);
  return spelled([&](const std::string& file) { return failed ? file : from_folder(file, folder); });
}

std::string CanonicalPipeline::anywhere() const {
  return spelled([](const std::string& file) { return file; });
}

std::string CanonicalPipeline::by_content() const {
  return spelled([](const std::string& file) {
    const std::string checksum = file_checksum(file);
    return checksum.empty() ? file : "xxh128:" + checksum;
  });
}

std::string CanonicalPipeline::beside(const std::string& file, const ValuePtr& tree) const {
  if (tree == nullptr) return "";
  std::error_code failed;
  const fs::path folder = real(fs::absolute(file, failed).parent_path());
  return to_yaml(*replaced(tree, [&](const Value* leaf) -> ValuePtr {
    if (const auto written = environment_.find(leaf); written != environment_.end()) {
      auto value = std::make_shared<Value>();
      value->data = Value::Scalar{written->second, leaf->scalar() != nullptr && leaf->scalar()->quoted};
      return value;
    }
    const auto path = files_.find(leaf);
    if (path == files_.end()) return nullptr;
    const fs::path plain(path->second);
    return text_value(from_folder(real(plain.parent_path()) / plain.filename(), folder));
  }));
}

std::vector<std::string> CanonicalPipeline::files() const {
  std::vector<std::string> result;
  for (const auto& [leaf, file] : files_) result.push_back(file);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace gramflow
