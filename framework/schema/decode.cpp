#include "framework/schema/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/base/text.h"
#include "framework/config/yaml_writer.h"
#include "framework/schema/path_problem.h"

namespace gramflow {
namespace {

bool report_range(const Value& value, const DecodeContext& context, double number) {
  if (holds(context.constraints, number)) return false;
  context.error("out-of-range", value,
                fmt::format("'{}' must be {}, found {}", context.name, range_text(context.constraints),
                            value.scalar()->text));
  return true;
}

std::string with_range(const std::string& type, const DecodeContext& context) {
  const std::string range = range_text(context.constraints);
  return range.empty() ? type : type + " " + range;
}

std::string lower_case(std::string text) {
  for (char& letter : text)
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  return text;
}

/// Whether the text is 1,000 or 12,345,678: groups of three digits after the first, which does not start with
/// 0.
bool has_thousands(const std::string& text, char separator) {
  const std::size_t first = text.find(separator);
  if (first == std::string::npos || first == 0 || first > 3 || text[0] == '0') return false;
  std::size_t digits = 0;
  for (std::size_t i = first + 1; i < text.size(); ++i) {
    if (text[i] == separator) {
      if (digits != 3) return false;
      digits = 0;
    } else if (text[i] >= '0' && text[i] <= '9') {
      ++digits;
    } else {
      return false;
    }
  }
  return digits == 3 && text.find_first_not_of("0123456789") == first;
}

/// The number that somebody meant who wrote 1,000 or 1_000 (1000), 0,5 (0.5), 128px (128) or 0x40 (64); ""
/// when there is no telling.
std::string repaired_number(const std::string& text) {
  double parsed = 0;
  for (const char separator : {',', '_', ' ', '\''})
    if (has_thousands(text, separator)) {
      std::string digits = text;
      std::erase(digits, separator);
      return digits;
    }
  if (text.starts_with("0x") || text.starts_with("0X")) {
    std::uint64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data() + 2, text.data() + text.size(), number, 16);
    return problem == std::errc() && end == text.data() + text.size() ? fmt::format("{}", number) : "";
  }
  std::string point = text;
  std::replace(point.begin(), point.end(), ',', '.');
  if (point != text && parse_number(point, parsed)) return point;
  const std::size_t unit = text.find_first_not_of("0123456789.+-");
  const bool letters = unit != std::string::npos &&
                       text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ;",
                                              unit) == std::string::npos;
  if (letters && unit > 0 && parse_number(text.substr(0, unit), parsed)) return text.substr(0, unit);
  return "";
}

/// "write 64", if that would be taken; a hint never leads to the next mistake.
std::string number_hint(const std::string& number, const DecodeContext& context, bool whole) {
  double parsed = 0;
  const bool taken = parse_number(number, parsed) && std::isfinite(parsed) &&
                     holds(context.constraints, parsed) && (!whole || parsed == std::floor(parsed));
  return taken ? number : "";
}

/// A plain, finite number.
bool read_number(const Value& value, const DecodeContext& context, const std::string& type, double& number) {
  const Value::Scalar* scalar = value.scalar();
  double parsed = 0;
  if (scalar == nullptr || scalar->quoted || !parse_number(scalar->text, parsed)) {
    Diagnostic& diagnostic = context.wrong_type(value, with_range(type, context));
    if (scalar == nullptr) return false;
    std::string repaired = scalar->text;
    const bool whole = type == "a whole number";
    if (scalar->quoted && parse_number(repaired, parsed)) {
      const std::string number = number_hint(repaired, context, whole);
      if (!number.empty()) diagnostic.suggest("without the quotes: " + number);
      return false;
    }
    const std::string number = number_hint(repaired_number(repaired), context, whole);
    if (!number.empty()) diagnostic.suggest("write " + number);
    return false;
  }
  if (!std::isfinite(parsed)) {
    context.error("not-finite", value, "'" + context.name + "' takes a finite number, found " + scalar->text);
    return false;
  }
  number = parsed;
  return true;
}

bool accept_text(const Value& value, const std::string& found, const DecodeContext& context,
                 std::string& text) {
  if (found.empty() && demands(context.constraints, Constraint::Kind::not_empty)) {
    context.error("empty", value, "'" + context.name + "' must not be empty");
    return false;
  }
  const bool writes = demands(context.constraints, Constraint::Kind::writes_file);
  if (writes || demands(context.constraints, Constraint::Kind::reads_file)) {
    const PathProblem problem = path_problem(found, writes, value.typed != nullptr);
    if (!problem.message.empty()) {
      context.error("bad-path", value, "'" + context.name + "': " + problem.message)
          .suggest(problem.suggestion);
      return false;
    }
  }
  text = found;
  return true;
}

}  // namespace

bool holds(const std::vector<Constraint>& constraints, double value) {
  return std::all_of(constraints.begin(), constraints.end(), [&](const Constraint& constraint) {
    switch (constraint.kind) {
      case Constraint::Kind::at_least:
        return value >= constraint.limit;
      case Constraint::Kind::more_than:
        return value > constraint.limit;
      case Constraint::Kind::at_most:
        return value <= constraint.limit;
      case Constraint::Kind::less_than:
        return value < constraint.limit;
      case Constraint::Kind::required:
      case Constraint::Kind::not_empty:
      case Constraint::Kind::reads_file:
      case Constraint::Kind::writes_file:
        return true;
    }
    return true;
  });
}

std::string range_text(const std::vector<Constraint>& constraints) {
  std::string text;
  const auto add = [&](const char* sign, double limit) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " and ", sign, number_text(limit));
  };
  for (const Constraint& constraint : constraints) {
    if (constraint.kind == Constraint::Kind::at_least) add(">=", constraint.limit);
    if (constraint.kind == Constraint::Kind::more_than) add(">", constraint.limit);
    if (constraint.kind == Constraint::Kind::at_most) add("<=", constraint.limit);
    if (constraint.kind == Constraint::Kind::less_than) add("<", constraint.limit);
  }
  return text;
}

bool demands(const std::vector<Constraint>& constraints, Constraint::Kind kind) {
  return std::any_of(constraints.begin(), constraints.end(),
                     [&](const Constraint& constraint) { return constraint.kind == kind; });
}

Diagnostic& DecodeContext::error(const std::string& code, const Value& value,
                                 const std::string& message) const {
  Diagnostic& diagnostic = diagnostics.error(code, value.span, message);
  for (const Note& note : value.notes) diagnostic.note(note.message, note.span);
  return diagnostic;
}

bool DecodeContext::readable(const Value& value) const {
  return !value.broken && !report_yaml_problems(value, diagnostics);
}

Diagnostic& DecodeContext::wrong_type(const Value& value, const std::string& expected) const {
  return error("wrong-type", value, "'" + name + "' takes " + expected + ", found " + value.describe());
}

bool decode_number(const Value& value, const DecodeContext& context, double& number) {
  if (!context.readable(value)) return false;
  double parsed = 0;
  if (!read_number(value, context, "a number", parsed) || report_range(value, context, parsed)) return false;
  number = parsed;
  return true;
}

bool decode_integer(const Value& value, const DecodeContext& context, std::int64_t lowest,
                    std::uint64_t highest, std::int64_t& number) {
  if (!context.readable(value)) return false;
  double parsed = 0;
  if (!read_number(value, context, "a whole number", parsed)) return false;
  if (parsed != std::floor(parsed)) {
    context.wrong_type(value, with_range("a whole number", context))
        .suggest(holds(context.constraints, std::round(parsed))
                     ? fmt::format("for example {:.0f}", std::round(parsed))
                     : "");
    return false;
  }
  if (report_range(value, context, parsed)) return false;
  const std::string& text = value.scalar()->text;
  std::uint64_t bits = 0;
  bool fits = false;
  if (parsed < 0) {
    fits = parsed >= static_cast<double>(lowest);
    bits = fits ? static_cast<std::uint64_t>(static_cast<std::int64_t>(parsed)) : 0;
  } else {
    // Digits are read exactly: a seed of 20 digits is more than a double can tell apart.
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), bits);
    const bool digits = end == text.data() + text.size() && problem == std::errc();
    constexpr double beyond = 18446744073709551616.0;
    if (!digits && parsed < beyond) bits = static_cast<std::uint64_t>(parsed);
    fits = (digits || parsed < beyond) && bits <= highest;
  }
  if (!fits) {
    context.error("out-of-range", value,
                  fmt::format("'{}' must be {}, found {}", context.name,
                              parsed < 0 ? lowest == 0 ? "0 or more" : fmt::format("{} or more", lowest)
                                         : fmt::format("{} or less", highest),
                              text));
    return false;
  }
  number = static_cast<std::int64_t>(bits);
  return true;
}

bool decode_bool(const Value& value, const DecodeContext& context, bool& flag) {
  if (!context.readable(value)) return false;
  const Value::Scalar* scalar = value.scalar();
  if (scalar != nullptr && !scalar->quoted && (scalar->text == "true" || scalar->text == "false")) {
    flag = scalar->text == "true";
    return true;
  }
  Diagnostic& diagnostic = context.wrong_type(value, "true or false");
  const std::string word = scalar == nullptr ? "" : lower_case(scalar->text);
  for (const char* yes : {"true", "yes", "on", "y", "1"})
    if (word == yes) diagnostic.suggest("write true");
  for (const char* no : {"false", "no", "off", "n", "0"})
    if (word == no) diagnostic.suggest("write false");
  return false;
}

bool decode_text(const Value& value, const DecodeContext& context, std::string& text) {
  if (value.broken) return false;
  const Value::Scalar* scalar = value.scalar();
  if (value.typed != nullptr) {
    // What was typed is the text, whatever YAML makes of it.
    for (const Diagnostic& problem : value.typed->text_problems)
      context.diagnostics.error(problem.code, problem.span, problem.message) = problem;
    if (!value.typed->text_problems.empty()) return false;
    return accept_text(value, value.typed->text, context, text);
  }
  double number = 0;
  if (scalar == nullptr) {
    Diagnostic& diagnostic = context.wrong_type(value, "a text");
    const Value::List* items = value.list();
    if (items != nullptr && items->size() == 1 && (*items)[0]->scalar() != nullptr)
      diagnostic.suggest("write it without brackets: " + text_as_yaml((*items)[0]->scalar()->text));
    return false;
  }
  if (!scalar->quoted &&
      (parse_number(scalar->text, number) || scalar->text == "true" || scalar->text == "false")) {
    context.wrong_type(value, "a text")
        .suggest("put it in quotes if it is meant as a text: \"" + scalar->text + "\"");
    return false;
  }
  return accept_text(value, scalar->text, context, text);
}

int decode_choice(const Value& value, const DecodeContext& context, const std::vector<std::string>& choices) {
  if (!context.readable(value)) return -1;
  const Value::Scalar* scalar = value.scalar();
  if (scalar == nullptr) {
    context.wrong_type(value, join_words(choices, "or"));
    return -1;
  }
  const auto found = std::find(choices.begin(), choices.end(), scalar->text);
  if (found != choices.end()) return static_cast<int>(found - choices.begin());
  context
      .error("unknown-choice", value,
             fmt::format("'{}' takes {}, found {}", context.name, join_words(choices, "or"),
                         quote(scalar->text)))
      .suggest(did_you_mean(scalar->text, choices));
  return -1;
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::string text_as_yaml(const std::string& text) {
  if (text.empty()) return "''";
  Value value;
  value.data = Value::Scalar{text, true};
  std::string yaml = to_yaml(value);
  yaml.pop_back();  // the line ending
  return yaml;
}

std::string quoted_json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gramflow
