#include "framework/config/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/config/variables.h"
#include "framework/config/yaml_reader.h"

namespace gramflow {
namespace {

std::vector<std::string> split_at_dots(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == '.') {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

ValuePtr make_map(Value::Map entries, const Span& span, std::vector<Note> notes) {
  auto value = std::make_shared<Value>();
  value->data = std::move(entries);
  value->span = span;
  value->notes = std::move(notes);
  return value;
}

int columns(const std::string& part) {
  int count = 0;
  for (const char byte : part) count += (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u ? 1 : 0;
  return count;
}

/// Both readings of what stands behind the '=': as YAML, and letter by letter. Who needs the one is not told
/// what is wrong with the other.
ValuePtr read_typed(const std::shared_ptr<const SourceFile>& file, const Override& override) {
  Diagnostics problems;
  const ValuePtr yaml = parse_yaml_from(file, override.key.size() + 1, problems);
  auto typed = std::make_shared<TypedText>();
  typed->text = override.value;
  auto value = std::make_shared<Value>();
  if (problems.has_errors() || yaml == nullptr) {
    typed->yaml_problems = problems.all();
    value->data = Value::Scalar{override.value, true};
    const int begin = 2 + columns(override.key);
    value->span = {file, {1, begin}, {1, begin + columns(override.value)}};
  } else {
    *value = *yaml;
  }
  value->typed = std::move(typed);
  return value;
}

void put(std::vector<Entry>& entries, const Setting& setting, std::size_t level, const ValuePtr& value,
         Diagnostics& diagnostics) {
  const std::string& key = setting.path[level];
  auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& other) { return other.key == key; });
  const bool last = level + 1 == setting.path.size();
  if (entry == entries.end())
    entry = entries.insert(entries.end(), {key, setting.key_span, make_map({}, value->span, {})});
  if (last) {
    entry->value = value;
    return;
  }
  const Value::Map* inside = entry->value->map();
  if (inside == nullptr && !entry->value->is_null()) {
    diagnostics
        .error("set-path", setting.key_span,
               fmt::format("{} is {} in the node {}; {} cannot be set inside of it", quote(key),
                           entry->value->describe(), quote(setting.node), quote(setting.path[level + 1])))
        .note("its value", entry->value->span)
        .suggest(fmt::format("set the whole of it: nodes.{}.{}", setting.node, key));
    return;
  }
  Value::Map changed = inside != nullptr ? *inside : Value::Map{};
  put(changed, setting, level + 1, value, diagnostics);
  entry->value = make_map(std::move(changed), entry->value->span, entry->value->notes);
}

}  // namespace

std::optional<Setting> read_setting(const std::string& key, Span key_span, ValuePtr value,
                                    Diagnostics& diagnostics) {
  Setting setting;
  setting.key_span = key_span;
  setting.value = std::move(value);
  const std::vector<std::string> parts = split_at_dots(key);
  if (parts.size() == 1 && is_variable_name(key)) {
    setting.variable = key;
    return setting;
  }
  const bool no_empty_part = std::find(parts.begin(), parts.end(), "") == parts.end();
  constexpr std::size_t longest_path = 50;
  if (parts.size() >= 3 && parts.size() <= longest_path && parts[0] == "nodes" && no_empty_part) {
    if (parts[2] == "type") {
      diagnostics.error("set-path", key_span, "the type of a node cannot be set")
          .suggest("write another pipeline, or set its parameters");
      return std::nullopt;
    }
    setting.node = parts[1];
    setting.path.assign(parts.begin() + 2, parts.end());
    return setting;
  }
  Diagnostic& diagnostic = diagnostics.error(
      "set-path", key_span,
      fmt::format("{} can be no key here; a variable or nodes.ID.PARAMETER was expected", quote(key)));
  if (parts.size() == 2 && parts[0] == "vars") {
    diagnostic.suggest(fmt::format("write '{}' alone", one_line(parts[1])));
  } else if (parts.size() == 2 && parts[0] != "nodes" && no_empty_part) {
    diagnostic.suggest(
        fmt::format("write nodes.{} for a parameter of the node '{}'", one_line(key), one_line(parts[0])));
  } else if (parts.size() == 2 && no_empty_part) {
    diagnostic.suggest(fmt::format("name one parameter: {}.weight", one_line(key)));
  }
  return std::nullopt;
}

std::vector<Setting> read_overrides(const std::vector<Override>& overrides, const std::string& pipeline,
                                    Diagnostics& diagnostics) {
  std::vector<Setting> settings;
  for (const Override& override : overrides) {
    const std::string text = override.key + "=" + override.value;
    const auto file = SourceFile::typed("--set " + one_line(text.substr(0, 100)), text, pipeline);
    const Span key_span{file, {1, 1}, {1, 1 + columns(override.key)}};
    const ValuePtr value = read_typed(file, override);
    std::optional<Setting> setting = read_setting(override.key, key_span, value, diagnostics);
    if (setting.has_value()) settings.push_back(std::move(*setting));
  }
  return settings;
}

void put_value(std::vector<Entry>& entries, const Setting& setting, const ValuePtr& value,
               Diagnostics& diagnostics) {
  put(entries, setting, 0, value, diagnostics);
}

}  // namespace gramflow
