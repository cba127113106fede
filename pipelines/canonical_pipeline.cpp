#include "pipelines/canonical_pipeline.h"

#include <algorithm>
#include <filesystem>

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

/// The tree with the values in `files` replaced by what `spell` makes of their paths.
template <class Spell>
ValuePtr replaced(const ValuePtr& value, const std::map<const Value*, std::string>& files,
                  const Spell& spell) {
  if (const auto file = files.find(value.get()); file != files.end()) return text_value(spell(file->second));
  auto result = std::make_shared<Value>(*value);
  if (const Value::List* items = value->list()) {
    Value::List changed;
    for (const ValuePtr& item : *items) changed.push_back(replaced(item, files, spell));
    result->data = std::move(changed);
  } else if (const Value::Map* entries = value->map()) {
    Value::Map changed;
    for (const Entry& entry : *entries)
      changed.push_back({entry.key, entry.key_span, replaced(entry.value, files, spell)});
    result->data = std::move(changed);
  }
  return result;
}

}  // namespace

CanonicalPipeline::CanonicalPipeline(const PipelineSource& source, const NodeTypes& types,
                                     Diagnostics& diagnostics) {
  const std::string main_folder = fs::path(source.file->name()).parent_path().string();
  const Respell respell = [&](const NodeEntry& node, const Entry& entry) -> ValuePtr {
    const Field* field = field_of(types, node.type, entry.key);
    if (field == nullptr) return nullptr;
    const Value& value = *entry.value;
    const std::string text = value.typed != nullptr      ? value.typed->text
                             : value.scalar() != nullptr ? value.scalar()->text
                                                         : "";
    if (!field->reads_file || text.empty() || value.is_unset_text() || !names_file(entry.key, text))
      return typed_texts(field->type, entry.value);
    const FoundFile found = find_written(text, value, main_folder);
    std::error_code failed;
    const std::string path = found.path.empty() ? found.looked.front() : found.path;
    const std::string absolute = fs::absolute(path, failed).lexically_normal().string();
    ValuePtr named = text_value(absolute);  // stages that read different files differ
    files_.emplace(named.get(), absolute);
    return named;
  };
  root_ = canonical_value(source, diagnostics, port_test(types), respell);
}

template <class Spell>
std::string CanonicalPipeline::spelled(const Spell& spell) const {
  return root_ != nullptr ? to_yaml(*replaced(root_, files_, spell)) : "";
}

std::string CanonicalPipeline::here() const {
  std::error_code failed;
  const fs::path folder = fs::current_path(failed);
  return spelled([&](const std::string& file) { return failed ? file : from_folder(file, folder); });
}

std::string CanonicalPipeline::anywhere() const {
  return spelled([](const std::string& file) { return file; });
}

std::string CanonicalPipeline::beside(const std::string& file) const {
  std::error_code failed;
  const fs::path folder = real(fs::absolute(file, failed).parent_path());
  return spelled([&](const std::string& path) {
    const fs::path plain(path);
    return from_folder(real(plain.parent_path()) / plain.filename(), folder);
  });
}

}  // namespace gramflow
