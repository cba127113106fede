#pragma once
// ParameterType<T>: how a C++ type is written in YAML. Specialise it to teach a new one (see
// nodes/image/size_parameter.h).
//
//   static void describe(Field& field);                            // type, choices, fields; json_schema: its
//   keywords, "\"type\":..." static bool decode(const Value&, T&, const DecodeContext&);    // false after
//   reporting static std::string text(const T&);                             // YAML
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/schema/decode.h"
#include "framework/schema/parameters.h"

namespace gramflow {

template <class T>
struct ParameterType;

/// Enums say their names: `inline auto enum_names(Method) { return std::vector<std::pair<std::string,
/// Method>>{...}; }`
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) {
  enum_names(value);
};

template <>
struct ParameterType<bool> {
  static void describe(Field& field) {
    field.type = "true or false";
    field.json_schema = R"("type":"boolean")";
  }
  static bool decode(const Value& value, bool& flag, const DecodeContext& context) {
    return decode_bool(value, context, flag);
  }
  static std::string text(bool flag) { return flag ? "true" : "false"; }
};

template <>
struct ParameterType<double> {
  static void describe(Field& field) {
    field.type = "number";
    field.json_schema = R"("type":"number")";
  }
  static bool decode(const Value& value, double& number, const DecodeContext& context) {
    return decode_number(value, context, number);
  }
  static std::string text(double number) { return number_text(number); }
};

template <std::integral T>
requires(!std::same_as<T, bool>) struct ParameterType<T> {
  static void describe(Field& field) {
    field.type = "whole number";
    field.json_schema = R"("type":"integer")";
  }
  static bool decode(const Value& value, T& number, const DecodeContext& context) {
    std::int64_t decoded = 0;
    const auto lowest =
        std::is_unsigned_v<T> ? std::int64_t{0} : static_cast<std::int64_t>(std::numeric_limits<T>::min());
    if (!decode_integer(value, context, lowest, static_cast<std::uint64_t>(std::numeric_limits<T>::max()),
                        decoded))
      return false;
    number = static_cast<T>(decoded);
    return true;
  }
  static std::string text(T number) { return std::to_string(number); }
};

template <>
struct ParameterType<std::string> {
  static void describe(Field& field) {
    field.type = "text";
    field.json_schema = R"("type":"string")";
  }
  static bool decode(const Value& value, std::string& text, const DecodeContext& context) {
    return decode_text(value, context, text);
  }
  static std::string text(const std::string& text) { return text_as_yaml(text); }
};

template <NamedEnum T>
struct ParameterType<T> {
  static std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const auto& [name, value] : enum_names(T{})) result.push_back(name);
    return result;
  }
  static void describe(Field& field) {
    field.choices = names();
    field.json_schema = "\"enum\":[";
    for (const std::string& name : field.choices) {
      field.type += (field.type.empty() ? "" : " | ") + name;
      field.json_schema += (name == field.choices.front() ? "" : ",") + quoted_json(name);
    }
    field.json_schema += "]";
  }
  static bool decode(const Value& value, T& chosen, const DecodeContext& context) {
    const int index = decode_choice(value, context, names());
    if (index < 0) return false;
    chosen = enum_names(T{})[static_cast<std::size_t>(index)].second;
    return true;
  }
  static std::string text(T chosen) {
    for (const auto& [name, value] : enum_names(T{}))
      if (value == chosen) return name;
    return "";
  }
};

template <class T>
struct ParameterType<std::optional<T>> {
  static void describe(Field& field) { ParameterType<T>::describe(field); }
  static bool decode(const Value& value, std::optional<T>& optional, const DecodeContext& context) {
    T decoded{};
    if (!ParameterType<T>::decode(value, decoded, context)) return false;
    optional = std::move(decoded);
    return true;
  }
  static std::string text(const std::optional<T>& optional) {
    return optional ? ParameterType<T>::text(*optional) : "";
  }
};

template <class T>
struct ParameterType<std::vector<T>> {
  static void describe(Field& field) {
    Field item;
    ParameterType<T>::describe(item);
    field.type = "list of " + item.type;
    field.json_schema = R"("type":"array","items":{)" + item.json_schema + "}";
  }
  static bool decode(const Value& value, std::vector<T>& list, const DecodeContext& context) {
    if (!context.readable(value)) return false;
    const Value::List* items = value.list();
    if (items == nullptr) {
      Field item;
      ParameterType<T>::describe(item);
      Diagnostic& diagnostic = context.wrong_type(value, "a list of " + item.type);
      if (const Value::Scalar* scalar = value.scalar())
        diagnostic.suggest("write it in brackets: [" + scalar->text + "]");
      return false;
    }
    if (items->empty() && demands(context.constraints, Constraint::Kind::not_empty)) {
      context.error("empty", value, "'" + context.name + "' must not be empty");
      return false;
    }
    std::vector<T> decoded;
    bool good = true;
    for (const ValuePtr& item : *items) {
      if (item->broken) {
        good = false;
        continue;
      }
      T element{};
      if (ParameterType<T>::decode(*item, element, context))
        decoded.push_back(std::move(element));
      else
        good = false;
    }
    list = std::move(decoded);
    return good;
  }
  static std::string text(const std::vector<T>& list) {
    std::string result = "[";
    for (const T& item : list) result += (&item == &list.front() ? "" : ", ") + ParameterType<T>::text(item);
    return result + "]";
  }
};

template <class T>
struct ParameterType<std::map<std::string, T>> {
  static void describe(Field& field) {
    Field item;
    ParameterType<T>::describe(item);
    field.type = "map of names to " + item.type + "s";
    field.json_schema = R"("type":"object","additionalProperties":{)" + item.json_schema + "}";
  }
  static bool decode(const Value& value, std::map<std::string, T>& map, const DecodeContext& context) {
    if (!context.readable(value)) return false;
    const Value::Map* entries = value.map();
    if (entries == nullptr) {
      context.wrong_type(value, "a map").suggest("for example {relu1_1: 0.5}");
      return false;
    }
    bool good = true;
    map.clear();
    for (const Entry& entry : *entries) {
      if (entry.value->broken) {
        good = false;
        continue;
      }
      T element{};
      const DecodeContext inner{context.name + "." + entry.key, context.constraints, context.diagnostics};
      if (ParameterType<T>::decode(*entry.value, element, inner))
        map[entry.key] = std::move(element);
      else
        good = false;
    }
    return good;
  }
  static std::string text(const std::map<std::string, T>& map) {
    std::string result = "{";
    for (const auto& [key, item] : map)
      result += (result.size() == 1 ? "" : ", ") + key + ": " + ParameterType<T>::text(item);
    return result + "}";
  }
};

}  // namespace gramflow
