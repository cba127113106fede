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

/// What was typed at a shell for a value, letter by letter: for parameters that take a text (`--set name="
/// #2"` is the text " #2", though YAML reads nothing there).
struct TypedText {
  std::string text;
  std::vector<Diagnostic> yaml_problems;  ///< why it is no YAML; told where YAML is needed
  std::vector<Diagnostic> text_problems;  ///< of variables in it; told where the text is needed
  /// The command line arguments and environment variables that it was made of.
  std::vector<std::shared_ptr<const SourceFile>> sources;
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
  /// Set when it was typed, or when a part of it was. Null for what a file says.
  std::shared_ptr<const TypedText> typed;
  /// Where the first part of a text was written, when that is not where the whole stands: "${folder}/a.png".
  std::shared_ptr<const SourceFile> origin;

  /// Where it was written: relative paths start there (written_path.h).
  const SourceFile* written_in() const { return origin != nullptr ? origin.get() : span.file.get(); }
  /// Whether it unsets what takes a text: nothing, or `null`; not a text that YAML reads as nothing.
  bool is_unset_text() const;
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

/// Reports why a typed value cannot be read as YAML; false when there is nothing to report.
bool report_yaml_problems(const Value& value, Diagnostics& diagnostics);

/// Numbers as people write them in YAML: 3, -2.5, 1e4, 1.0e4; also .inf, -.inf, .nan, inf, nan (the decoder
/// decides whether they are allowed). False when the text is no number.
bool parse_number(std::string_view text, double& number);

}  // namespace gramflow
