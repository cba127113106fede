#include "framework/schema/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/base/text.h"

namespace gramflow {
namespace schema_detail {

// Limits belong to the numbers, wherever in a list or map they stand; "not empty" belongs to the outermost
// value.
static void add_limits(nlohmann::ordered_json& schema, const std::vector<Constraint>& constraints) {
  const std::string type =
      schema.contains("type") && schema["type"].is_string() ? schema["type"].get<std::string>() : "";
  if (type == "number" || type == "integer") {
    for (const Constraint& constraint : constraints) {
      if (constraint.kind == Constraint::Kind::at_least) schema["minimum"] = constraint.limit;
      if (constraint.kind == Constraint::Kind::more_than) schema["exclusiveMinimum"] = constraint.limit;
      if (constraint.kind == Constraint::Kind::at_most) schema["maximum"] = constraint.limit;
      if (constraint.kind == Constraint::Kind::less_than) schema["exclusiveMaximum"] = constraint.limit;
    }
  }
  for (const char* inner : {"items", "additionalProperties"})
    if (schema.contains(inner) && schema[inner].is_object()) add_limits(schema[inner], constraints);
  if (schema.contains("anyOf"))
    for (nlohmann::ordered_json& choice : schema["anyOf"]) add_limits(choice, constraints);
}

std::string finish_json_schema(const Field& field, const std::vector<Constraint>& constraints) {
  nlohmann::ordered_json schema = nlohmann::ordered_json::parse("{" + field.json_schema + "}");
  schema["description"] = field.doc;
  add_limits(schema, constraints);
  if (demands(constraints, Constraint::Kind::not_empty)) {
    if (schema.value("type", "") == "string") schema["minLength"] = 1;
    if (schema.value("type", "") == "array") schema["minItems"] = 1;
  }
  if (!field.default_text.empty()) {
    // A default is YAML; numbers, lists of numbers and true or false are JSON as well, and the rest is text.
    nlohmann::ordered_json standard = nlohmann::ordered_json::parse(field.default_text, nullptr, false);
    schema["default"] = standard.is_discarded() ? nlohmann::ordered_json(field.default_text) : standard;
  }
  return schema.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void report_nothing(const Value& value, const std::string& name, Diagnostics& diagnostics) {
  Diagnostic& diagnostic = diagnostics.error(
      "wrong-type", value.span, fmt::format("'{}' has no value; one was expected behind the ':'", name));
  diagnostic.suggest("write one");
  diagnostic.notes = value.notes;
}

/// What was meant by 0,5 or 1,024 between braces, where the comma ends the value and the rest looks like a
/// key; "" for other keys.
static std::string number_with_comma(const std::vector<Entry>& entries, const Entry& key) {
  const bool digits = key.key.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || !key.value->is_null()) return "";
  const Entry* before = &key == entries.data() ? nullptr : &key - 1;
  const Value::Scalar* scalar = before != nullptr ? before->value->scalar() : nullptr;
  const bool whole = scalar != nullptr && !scalar->text.empty() && scalar->text.size() <= 3 &&
                     scalar->text.find_first_not_of("0123456789") == std::string::npos;
  if (!whole) return "decimals stand behind a point, as in 0.5";
  const bool thousands = key.key.size() == 3 && scalar->text[0] != '0';
  return "write " + before->key + ": " + scalar->text + (thousands ? "" : ".") + key.key;
}

void report_unknown_keys(const std::vector<Entry>& entries, const std::vector<std::string>& known,
                         const std::vector<std::string>& known_elsewhere, const std::string& owner_name,
                         Diagnostics& diagnostics) {
  std::vector<std::string> all = known;
  all.insert(all.end(), known_elsewhere.begin(), known_elsewhere.end());
  for (const Entry& entry : entries) {
    if (std::find(all.begin(), all.end(), entry.key) != all.end()) continue;
    const std::string hint = did_you_mean(entry.key, all);
    Diagnostic& diagnostic = diagnostics.error("unknown-key", entry.key_span,
                                               owner_name + " has no '" + one_line(entry.key) + "'");
    const std::string number = number_with_comma(entries, entry);
    diagnostic.suggest(!hint.empty()     ? hint
                       : !number.empty() ? number
                       : all.empty()     ? "it takes nothing"
                                         : "it takes " + join_words(all));
    for (const Note& note : entry.value->notes) diagnostic.note(note.message, note.span);
  }
}

const Entry* find_entry(const std::vector<Entry>& entries, const std::string& key) {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

std::string object_keywords(const std::vector<Field>& fields) {
  std::string properties, required;
  for (const Field& field : fields) {
    properties += (properties.empty() ? "" : ",") + quoted_json(field.name) + ":" + field.json_schema;
    if (field.required) required += (required.empty() ? "" : ",") + quoted_json(field.name);
  }
  return "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" + properties +
         "},\"required\":[" + required + "]";
}

}  // namespace schema_detail

std::any ParameterSchema::decode(const std::vector<Entry>& entries,
                                 const std::vector<std::string>& known_elsewhere, Span owner,
                                 const std::string& owner_name, Diagnostics& diagnostics) const {
  if (decode_) return decode_(entries, known_elsewhere, std::move(owner), owner_name, diagnostics);
  schema_detail::report_unknown_keys(entries, {}, known_elsewhere, owner_name, diagnostics);
  return {};
}

}  // namespace gramflow
