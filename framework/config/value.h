#pragma once
// What a YAML text holds, with the place of every piece: the input of everything that decodes pipelines.
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/base/diagnostics.h"

namespace gramflow {

struct Value;

/// A key of a map with the place where it stands.
struct Entry {
  std::string key;
  Span key_span;
  std::shared_ptr<const Value> value;  ///< never null
};

/// One YAML value: null, a scalar (always text; decoding gives it a type), a list or a map in the order of
/// the file. Immutable once read; shared between documents that use the same variable.
struct Value {
  struct Null {};
  struct Scalar {
    std::string text;
    bool quoted = false;  ///< a quoted "12" is a string, a plain 12 may be a number
  };
  using List = std::vector<std::shared_ptr<const Value>>;
  using Map = std::vector<Entry>;

  std::variant<Null, Scalar, List, Map> data;
  Span span;
  /// How it came here: "used here as $size", "used here through the alias *x"; appended to diagnostics.
  std::vector<Note> notes;
  /// A null in place of something that was already reported: decoders say nothing about it.
  bool broken = false;

  bool is_null() const { return std::holds_alternative<Null>(data); }
  const Scalar* scalar() const { return std::get_if<Scalar>(&data); }
  const List* list() const { return std::get_if<List>(&data); }
  const Map* map() const { return std::get_if<Map>(&data); }
  /// The entry of a map, or nullptr (also when this is no map).
  const Entry* find(std::string_view key) const;
  /// "a list", "a map", "nothing", "the number 12", "the text 'abc'": how messages name what was found.
  std::string describe() const;
};
using ValuePtr = std::shared_ptr<const Value>;

/// Reads one YAML document. Reports syntax errors, duplicate keys, non-scalar keys, merge keys, unknown
/// anchors, more than one document, and the limits of yaml_text.h (8 MiB, 200 levels, 500 000 values after
/// aliases); nullptr when nothing useful was left.
ValuePtr parse_yaml(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics);

/// Numbers as people write them in YAML: 3, -2.5, 1e4, 1.0e4; also .inf, -.inf, .nan, inf, nan (the decoder
/// decides whether they are allowed). False when the text is no number.
bool parse_number(std::string_view text, double& number);

/// Block YAML text that reads back to the same values.
std::string to_yaml(const Value& value);
/// The same on one line: [a, b], {factor: 0.8}.
std::string to_flow_yaml(const Value& value);

}  // namespace gramflow
