#pragma once
// The templates behind ParameterSchema::of: two visitors over the same declaration.
#include <type_traits>

#include "framework/schema/parameter_types.h"
#include "framework/schema/parameters.h"

namespace gramflow {
namespace schema_detail {

/// The field's keywords as an object, with description, default, and limits at the numbers inside of it.
std::string finish_json_schema(const Field& field, const std::vector<Constraint>& constraints);
/// Reports keys that are not in `known` nor `known_elsewhere`.
void report_unknown_keys(const std::vector<Entry>& entries, const std::vector<std::string>& known,
                         const std::vector<std::string>& known_elsewhere, const std::string& owner_name,
                         Diagnostics& diagnostics);
const Entry* find_entry(const std::vector<Entry>& entries, const std::string& key);
/// JSON Schema keywords of a nested struct.
std::string object_keywords(const std::vector<Field>& fields);

/// "path:" with nothing behind it, for a parameter without a default. Others are unset by that.
void report_nothing(const Value& value, const std::string& name, Diagnostics& diagnostics);

/// What takes typed words letter by letter.
template <class T>
inline constexpr bool is_text =
    std::is_same_v<T, std::string> || std::is_same_v<T, std::optional<std::string>>;

class Describer {
 public:
  template <class T, class... Constraints>
  void operator()(const char* name, T& member, const char* doc, Constraints... constraints) {
    const std::vector<Constraint> demanded{constraints...};
    Field field;
    field.name = name;
    field.doc = doc;
    field.required = demands(demanded, Constraint::Kind::required);
    ParameterType<T>::describe(field);
    field.range = range_text(demanded);
    field.reads_file = demands(demanded, Constraint::Kind::reads_file);
    if (!field.required) field.default_text = ParameterType<T>::text(member);
    field.json_schema = finish_json_schema(field, demanded);
    fields.push_back(std::move(field));
  }
  std::vector<Field> fields;
};

class Decoder {
 public:
  Decoder(const std::vector<Entry>& entries, std::string prefix, Span owner, std::string owner_name,
          Diagnostics& diagnostics)
      : entries_(entries),
        prefix_(std::move(prefix)),
        owner_(std::move(owner)),
        owner_name_(std::move(owner_name)),
        diagnostics_(diagnostics) {}

  template <class T, class... Constraints>
  void operator()(const char* name, T& member, const char* doc, Constraints... constraints) {
    const std::vector<Constraint> demanded{constraints...};
    known_.push_back(name);
    const Entry* entry = find_entry(entries_, name);
    const bool is_required = demands(demanded, Constraint::Kind::required);
    if (entry == nullptr) {
      if (is_required)
        diagnostics_
            .error("missing-parameter", owner_, owner_name_ + " has no '" + prefix_ + name + "': " + doc)
            .suggest("add '" + std::string(name) + ": ...'");
      return;
    }
    if (entry->value->broken) return;
    if (is_text<T> ? entry->value->is_unset_text() : entry->value->is_null()) {
      if (is_required) report_nothing(*entry->value, prefix_ + name, diagnostics_);
      return;
    }
    ParameterType<T>::decode(*entry->value, member, DecodeContext{prefix_ + name, demanded, diagnostics_});
  }
  void finish(const std::vector<std::string>& known_elsewhere) {
    report_unknown_keys(entries_, known_, known_elsewhere, owner_name_, diagnostics_);
  }

 private:
  const std::vector<Entry>& entries_;
  std::string prefix_;
  Span owner_;
  std::string owner_name_;
  Diagnostics& diagnostics_;
  std::vector<std::string> known_;
};

template <class T>
concept VisitedStruct = std::is_class_v<T> && requires(Describer& describer, T& value) {
  visit_parameters(describer, value);
};

}  // namespace schema_detail

template <schema_detail::VisitedStruct T>
struct ParameterType<T> {
  static void describe(Field& field) {
    schema_detail::Describer describer;
    T defaults{};
    visit_parameters(describer, defaults);
    field.type = "map";
    field.fields = std::move(describer.fields);
    field.json_schema = schema_detail::object_keywords(field.fields);
  }
  static bool decode(const Value& value, T& result, const DecodeContext& context) {
    if (!context.readable(value)) return false;
    const Value::Map* map = value.map();
    if (map == nullptr) {
      Field field;
      describe(field);
      std::string example;
      for (const Field& inner : field.fields) example += (example.empty() ? "" : ", ") + inner.name + ": ...";
      context.wrong_type(value, "a map").suggest("for example {" + example + "}");
      return false;
    }
    const std::size_t errors = context.diagnostics.error_count();
    schema_detail::Decoder decoder(*map, context.name + ".", value.span, "'" + context.name + "'",
                                   context.diagnostics);
    visit_parameters(decoder, result);
    decoder.finish({});
    return context.diagnostics.error_count() == errors;
  }
  static std::string text(const T&) { return ""; }
};

template <class Params>
ParameterSchema ParameterSchema::of() {
  ParameterSchema schema;
  schema_detail::Describer describer;
  Params defaults{};
  visit_parameters(describer, defaults);
  schema.fields_ = std::move(describer.fields);
  schema.decode_ = [](const std::vector<Entry>& entries, const std::vector<std::string>& known_elsewhere,
                      Span owner, const std::string& owner_name, Diagnostics& diagnostics) -> std::any {
    Params parameters{};
    schema_detail::Decoder decoder(entries, "", std::move(owner), owner_name, diagnostics);
    visit_parameters(decoder, parameters);
    decoder.finish(known_elsewhere);
    return parameters;
  };
  return schema;
}

}  // namespace gramflow
