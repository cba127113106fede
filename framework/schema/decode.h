#pragma once
// Decoding of single values, with messages that teach. Used by ParameterType (parameter_types.h) only.
#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/value.h"
#include "framework/schema/constraints.h"

namespace gramflow {

// A broken value (see value.h) is neither decoded nor reported: each function returns false for it without a
// word.

/// Where a value stands and what is demanded of it.
struct DecodeContext {
  std::string name;  ///< "decay.factor"
  const std::vector<Constraint>& constraints;
  Diagnostics& diagnostics;

  /// False for what was reported already, and for what was typed and is no YAML, which is reported now.
  bool readable(const Value& value) const;
  /// Reports at `value`: "'weight' takes a number >= 0, found the text 'abc'".
  Diagnostic& wrong_type(const Value& value, const std::string& expected) const;
  Diagnostic& error(const std::string& code, const Value& value, const std::string& message) const;
};

bool decode_number(const Value& value, const DecodeContext& context, double& number);
/// Whole numbers in [lowest, highest], which the target type can hold.
/// `number` holds the bits of a number above the largest std::int64_t.
bool decode_integer(const Value& value, const DecodeContext& context, std::int64_t lowest,
                    std::uint64_t highest, std::int64_t& number);
bool decode_bool(const Value& value, const DecodeContext& context, bool& flag);
bool decode_text(const Value& value, const DecodeContext& context, std::string& text);
/// Index into `choices`, or -1 after reporting.
int decode_choice(const Value& value, const DecodeContext& context, const std::vector<std::string>& choices);

/// A number as YAML: the shortest text that reads back the same.
std::string number_text(double number);
/// A text as YAML: plain where it reads back as a text, else in quotes.
std::string text_as_yaml(const std::string& text);
std::string quoted_json(const std::string& text);

}  // namespace gramflow
