#pragma once
// Declared parameters: one struct and one visitor per node type; decoding, documentation, JSON Schema and
// canonical dump all come from it.
//
//   struct StyleLossParams { double weight = 1; std::vector<std::string> layers; std::optional<double> clip;
//   }; template <class V> void visit_parameters(V& v, StyleLossParams& p) {
//     v("weight", p.weight, "factor of this loss", at_least(0.0));
//     v("layers", p.layers, "layers to compare; default: all of the target", layer_names());
//   }
//   ParameterSchema schema = ParameterSchema::of<StyleLossParams>();
//
// Types: bool, int, std::int64_t, std::uint64_t, double, std::string, enums (see enum_names), WantedSize-like
// structs with their own visit_scalar, std::vector<T>, std::optional<T>, std::map<std::string, T> (in the
// order of keys), nested structs with visit_parameters. A member's value in a default-constructed struct is
// its default; required() says it has none.
#include <any>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/value.h"

namespace gramflow {

/// What docs, editors and `gramflow nodes` know of one parameter.
struct Field {
  std::string name;
  std::string
      type;  ///< "number", "whole number", "text", "true or false", "one of a, b, c", "list of text", ...
  std::string default_text;  ///< as YAML; "" when required
  std::string range;         ///< ">= 0", "0 < x <= 1", ""
  std::string doc;
  bool required = false;
  bool reads_file = false;           ///< a text that names a file which is read
  std::vector<std::string> choices;  ///< of an enum
  std::vector<Field> fields;         ///< of a nested struct
  std::string json_schema;  ///< this field's own JSON Schema object as text, description and default inside
};

/// Type-erased: one of these stands in every node type.
class ParameterSchema {
 public:
  ParameterSchema() = default;  ///< no parameters
  template <class Params>
  static ParameterSchema of();

  const std::vector<Field>& fields() const { return fields_; }
  /// Decodes the entries that are parameters; `known_elsewhere` are keys that are ports. Reports every
  /// unknown key (with the closest of parameters and ports), wrong type, value out of range and missing
  /// required parameter, at its place. The result holds a Params whatever happened, defaults where nothing
  /// usable stood.
  std::any decode(const std::vector<Entry>& entries, const std::vector<std::string>& known_elsewhere,
                  Span owner, const std::string& owner_name, Diagnostics& diagnostics) const;

 private:
  std::vector<Field> fields_;
  std::function<std::any(const std::vector<Entry>&, const std::vector<std::string>&, Span, const std::string&,
                         Diagnostics&)>
      decode_;
};

}  // namespace gramflow

#include "framework/schema/parameters_detail.h"
