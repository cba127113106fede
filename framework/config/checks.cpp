#include "framework/config/checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"

namespace gramflow {

Diagnostic& report_type(const Value& value, const std::string& what, const std::string& expected,
                        Diagnostics& diagnostics) {
  Diagnostic& diagnostic = diagnostics.error(
      "wrong-type", value.span, fmt::format("{} was found; {} must be {}", value.describe(), what, expected));
  diagnostic.notes = value.notes;
  return diagnostic;
}

void check_keys(const Value::Map& map, const std::vector<std::string>& known, const std::string& where,
                Diagnostics& diagnostics) {
  constexpr int enough = 100;  // a file with more unknown keys is something else altogether
  int unknown = 0;
  for (const Entry& entry : map) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    if (++unknown > enough) return;
    const std::string near = did_you_mean(entry.key, known);
    diagnostics
        .error("unknown-key", entry.key_span, fmt::format("there is no key {} {}", quote(entry.key), where))
        .suggest(!near.empty()                              ? near
                 : entry.key.find(':') != std::string::npos ? name_hint(entry.key)
                                                            : "known here: " + join_words(known));
  }
}

bool check_id(const std::string& id, const Span& span, const char* what, Diagnostics& diagnostics) {
  bool good = !id.empty();
  char before = '/';
  for (const char letter : id) {
    const bool alphabetic =
        (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
    const bool other = (letter >= '0' && letter <= '9') || letter == '-' || letter == '/';
    good = good && (alphabetic || (other && before != '/'));
    before = letter;
  }
  good = good && before != '/';
  if (good) return true;
  diagnostics
      .error("bad-name", span,
             fmt::format("{} cannot be the name of {}; letters, digits, '_' and '-' can, with a letter first",
                         quote(id), what))
      .suggest(name_hint(id));
  return false;
}

std::string name_hint(const std::string& name) {
  if (name.find(':') != std::string::npos) return "put a space behind the ':'";
  if (name.starts_with('$')) return "write the name without the $";
  if (name.find('.') != std::string::npos) return "the '.' is for outputs: result.canvas";
  return "";
}

}  // namespace gramflow
