#include "framework/schema/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"

namespace gramflow {
namespace schema_detail {

std::string finish_json_schema(const Field& field, const std::vector<Constraint>& constraints) {
  std::string text = "{" + field.json_schema + ",\"description\":" + quoted_json(field.doc);
  for (const Constraint& constraint : constraints) {
    if (constraint.kind == Constraint::Kind::at_least) text += fmt::format(",\"minimum\":{}", constraint.limit);
    if (constraint.kind == Constraint::Kind::more_than) text += fmt::format(",\"exclusiveMinimum\":{}", constraint.limit);
    if (constraint.kind == Constraint::Kind::at_most) text += fmt::format(",\"maximum\":{}", constraint.limit);
    if (constraint.kind == Constraint::Kind::less_than) text += fmt::format(",\"exclusiveMaximum\":{}", constraint.limit);
  }
  return text + "}";
}

void report_unknown_keys(const std::vector<Entry>& entries, const std::vector<std::string>& known, const std::vector<std::string>& known_elsewhere,
                         const std::string& owner_name, Diagnostics& diagnostics) {
  std::vector<std::string> all = known;
  all.insert(all.end(), known_elsewhere.begin(), known_elsewhere.end());
  for (const Entry& entry : entries) {
    if (std::find(all.begin(), all.end(), entry.key) != all.end()) continue;
    const std::string hint = did_you_mean(entry.key, all);
    Diagnostic& diagnostic = diagnostics.error("unknown-key", entry.key_span, owner_name + " has no '" + entry.key + "'");
    diagnostic.suggest(!hint.empty() ? hint : all.empty() ? "it takes nothing" : "it takes " + join_words(all));
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
  return "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" + properties + "},\"required\":[" + required + "]";
}

}  // namespace schema_detail

std::any ParameterSchema::decode(const std::vector<Entry>& entries, const std::vector<std::string>& known_elsewhere, Span owner,
                                 const std::string& owner_name, Diagnostics& diagnostics) const {
  if (decode_) return decode_(entries, known_elsewhere, std::move(owner), owner_name, diagnostics);
  schema_detail::report_unknown_keys(entries, {}, known_elsewhere, owner_name, diagnostics);
  return {};
}

}  // namespace gramflow
