#include "framework/config/value.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <system_error>

#include "framework/base/text.h"

namespace gramflow {

const Entry* Value::find(std::string_view key) const {
  if (const Map* entries = map()) {
    for (const Entry& entry : *entries)
      if (entry.key == key) return &entry;
  }
  return nullptr;
}

bool Value::is_unset_text() const {
  if (!is_null()) return false;
  if (typed == nullptr) return true;
  return typed->text.empty() || typed->text == "null" || typed->text == "Null" || typed->text == "NULL";
}

bool report_yaml_problems(const Value& value, Diagnostics& diagnostics) {
  if (value.typed == nullptr || value.typed->yaml_problems.empty()) return false;
  for (const Diagnostic& problem : value.typed->yaml_problems)
    diagnostics.error(problem.code, problem.span, problem.message) = problem;
  return true;
}

std::string Value::describe() const {
  if (is_null()) return "nothing";
  if (list() != nullptr) return list()->empty() ? "an empty list" : "a list";
  if (map() != nullptr) return map()->empty() ? "an empty map" : "a map";
  const Scalar& text = *scalar();
  double number = 0;
  if (!text.quoted && parse_number(text.text, number)) return fmt::format("the number {}", text.text);
  if (!text.quoted && (text.text == "true" || text.text == "false")) return text.text;
  if (text.text.empty()) return "an empty text";
  return fmt::format("the text {}", quote(text.text));
}

bool parse_number(std::string_view text, double& number) {
  std::string_view digits = text;
  bool negative = false;
  if (digits.starts_with('-') || digits.starts_with('+')) {
    negative = digits.front() == '-';
    digits.remove_prefix(1);
  }
  for (const std::string_view name : {".inf", ".Inf", ".INF", "inf", "Inf", "INF", "infinity"}) {
    if (digits == name) {
      number = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
      return true;
    }
  }
  for (const std::string_view name : {".nan", ".NaN", ".NAN", "nan", "NaN", "NAN"}) {
    if (text == name) {
      number = std::numeric_limits<double>::quiet_NaN();
      return true;
    }
  }
  const bool starts_like_number =
      !digits.empty() && ((digits[0] >= '0' && digits[0] <= '9') ||
                          (digits.size() > 1 && digits[0] == '.' && digits[1] >= '0' && digits[1] <= '9'));
  if (!starts_like_number) return false;
  double magnitude = 0;
  const char* const end = digits.data() + digits.size();
  const std::from_chars_result read = std::from_chars(digits.data(), end, magnitude);
  if (read.ptr != end) return false;
  if (read.ec == std::errc::result_out_of_range) {
    // Too small for a double is zero, too large is infinite; which of them shows in the text.
    const bool tiny = digits.find("e-") != std::string_view::npos ||
                      digits.find("E-") != std::string_view::npos || digits[0] == '0' || digits[0] == '.';
    magnitude = tiny ? 0 : std::numeric_limits<double>::infinity();
  } else if (read.ec != std::errc()) {
    return false;
  }
  number = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace gramflow
