#include "framework/schema/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/base/text.h"

namespace gramflow {
namespace {

bool report_range(const Value& value, const DecodeContext& context, double number) {
  if (holds(context.constraints, number)) return false;
  context.error("out-of-range", value, fmt::format("'{}' must be {}, found {}", context.name, range_text(context.constraints), value.scalar()->text));
  return true;
}

std::string with_range(const std::string& type, const DecodeContext& context) {
  const std::string range = range_text(context.constraints);
  return range.empty() ? type : type + " " + range;
}

}  // namespace

bool holds(const std::vector<Constraint>& constraints, double value) {
  return std::all_of(constraints.begin(), constraints.end(), [&](const Constraint& constraint) {
    switch (constraint.kind) {
      case Constraint::Kind::at_least: return value >= constraint.limit;
      case Constraint::Kind::more_than: return value > constraint.limit;
      case Constraint::Kind::at_most: return value <= constraint.limit;
      case Constraint::Kind::less_than: return value < constraint.limit;
      case Constraint::Kind::required:
      case Constraint::Kind::not_empty: return true;
    }
    return true;
  });
}

std::string range_text(const std::vector<Constraint>& constraints) {
  std::string text;
  const auto add = [&](const char* sign, double limit) { text += fmt::format("{}{} {}", text.empty() ? "" : " and ", sign, number_text(limit)); };
  for (const Constraint& constraint : constraints) {
    if (constraint.kind == Constraint::Kind::at_least) add(">=", constraint.limit);
    if (constraint.kind == Constraint::Kind::more_than) add(">", constraint.limit);
    if (constraint.kind == Constraint::Kind::at_most) add("<=", constraint.limit);
    if (constraint.kind == Constraint::Kind::less_than) add("<", constraint.limit);
  }
  return text;
}

bool demands(const std::vector<Constraint>& constraints, Constraint::Kind kind) {
  return std::any_of(constraints.begin(), constraints.end(), [&](const Constraint& constraint) { return constraint.kind == kind; });
}

Diagnostic& DecodeContext::error(const std::string& code, const Value& value, const std::string& message) const {
  Diagnostic& diagnostic = diagnostics.error(code, value.span, message);
  for (const Note& note : value.notes) diagnostic.note(note.message, note.span);
  return diagnostic;
}

Diagnostic& DecodeContext::wrong_type(const Value& value, const std::string& expected) const {
  return error("wrong-type", value, "'" + name + "' takes " + expected + ", found " + value.describe());
}

bool decode_number(const Value& value, const DecodeContext& context, double& number) {
  const Value::Scalar* scalar = value.scalar();
  double parsed = 0;
  if (scalar == nullptr || !parse_number(scalar->text, parsed)) {
    context.wrong_type(value, with_range("a number", context));
    return false;
  }
  if (scalar->quoted) {
    context.wrong_type(value, with_range("a number", context)).suggest("without the quotes: " + scalar->text);
    return false;
  }
  if (!std::isfinite(parsed)) {
    context.error("not-finite", value, "'" + context.name + "' takes a finite number, found " + scalar->text);
    return false;
  }
  if (report_range(value, context, parsed)) return false;
  number = parsed;
  return true;
}

bool decode_integer(const Value& value, const DecodeContext& context, std::int64_t lowest, std::uint64_t highest, std::int64_t& number) {
  const Value::Scalar* scalar = value.scalar();
  double parsed = 0;
  if (scalar == nullptr || scalar->quoted || !parse_number(scalar->text, parsed)) {
    Diagnostic& diagnostic = context.wrong_type(value, with_range("a whole number", context));
    if (scalar != nullptr && scalar->quoted && parse_number(scalar->text, parsed)) diagnostic.suggest("without the quotes: " + scalar->text);
    return false;
  }
  if (!std::isfinite(parsed)) {
    context.error("not-finite", value, "'" + context.name + "' takes a finite number, found " + scalar->text);
    return false;
  }
  if (parsed != std::floor(parsed)) {
    context.wrong_type(value, with_range("a whole number", context)).suggest("for example " + number_text(std::round(parsed)));
    return false;
  }
  if (parsed < static_cast<double>(lowest) || parsed > static_cast<double>(std::min<std::uint64_t>(highest, std::uint64_t{1} << 53))) {
    const std::string range = range_text(context.constraints);
    context.error("out-of-range", value, fmt::format("'{}' must be {}, found {}", context.name, range.empty() ? "a smaller number" : range, scalar->text));
    return false;
  }
  if (report_range(value, context, parsed)) return false;
  number = static_cast<std::int64_t>(parsed);
  return true;
}

bool decode_bool(const Value& value, const DecodeContext& context, bool& flag) {
  const Value::Scalar* scalar = value.scalar();
  if (scalar == nullptr || scalar->quoted || (scalar->text != "true" && scalar->text != "false")) {
    context.wrong_type(value, "true or false");
    return false;
  }
  flag = scalar->text == "true";
  return true;
}

bool decode_text(const Value& value, const DecodeContext& context, std::string& text) {
  const Value::Scalar* scalar = value.scalar();
  double number = 0;
  if (scalar == nullptr) {
    context.wrong_type(value, "a text");
    return false;
  }
  if (!scalar->quoted && (parse_number(scalar->text, number) || scalar->text == "true" || scalar->text == "false")) {
    context.wrong_type(value, "a text").suggest("in quotes if it is meant so: '" + scalar->text + "'");
    return false;
  }
  if (scalar->text.empty() && demands(context.constraints, Constraint::Kind::not_empty)) {
    context.error("empty", value, "'" + context.name + "' must not be empty");
    return false;
  }
  text = scalar->text;
  return true;
}

int decode_choice(const Value& value, const DecodeContext& context, const std::vector<std::string>& choices) {
  const Value::Scalar* scalar = value.scalar();
  if (scalar == nullptr) {
    context.wrong_type(value, "one of " + join_words(choices, "or"));
    return -1;
  }
  const auto found = std::find(choices.begin(), choices.end(), scalar->text);
  if (found != choices.end()) return static_cast<int>(found - choices.begin());
  const std::string hint = did_you_mean(scalar->text, choices);
  context.error("unknown-choice", value, "'" + context.name + "' takes " + join_words(choices, "or") + ", found '" + scalar->text + "'").suggest(hint);
  return -1;
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::string quoted_json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gramflow
