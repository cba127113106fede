#include "framework/config/checkpoint_key.h"

#include <cmath>
#include <limits>

#include "framework/config/checks.h"

namespace gramflow {
namespace {

constexpr double usual_seconds = 120;

double seconds_of_unit(const std::string& unit) {
  if (unit == "s" || unit == "sec") return 1;
  if (unit == "min") return 60;
  if (unit == "h") return 3600;
  return 0;
}

void report_every(const Value& every, Diagnostics& diagnostics) {
  diagnostics
      .error("wrong-type", every.span,
             "'every' of the checkpoint is " + every.describe() + "; iterations or a time were expected")
      .suggest("write 'every: 50', or 'every: 2 min'; s, min and h are known");
}

/// "2 min", "90s": false when it is none.
bool read_duration(const std::string& text, double& seconds) {
  const std::size_t end = text.find_last_of("0123456789.");
  if (end == std::string::npos) return false;
  const std::size_t unit = text.find_first_not_of(' ', end + 1);
  double number = 0;
  if (unit == std::string::npos || !parse_number(text.substr(0, end + 1), number)) return false;
  seconds = number * seconds_of_unit(text.substr(unit));
  return seconds > 0 && std::isfinite(seconds);
}

void read_every(const Value& every, CheckpointKey& key, Diagnostics& diagnostics) {
  if (every.broken) return;
  const Value::Scalar* scalar = every.scalar();
  double number = 0;
  if (scalar == nullptr) return report_every(every, diagnostics);
  if (read_duration(scalar->text, key.every_seconds)) return;
  const bool whole = !scalar->quoted && parse_number(scalar->text, number) && number >= 1 && number <= 1e7 &&
                     number == std::floor(number);
  if (!whole) return report_every(every, diagnostics);
  key.every_iterations = static_cast<std::int64_t>(number);
}

}  // namespace

CheckpointKey read_checkpoint_key(const Value& value, Diagnostics& diagnostics) {
  CheckpointKey key;
  if (value.broken) return key;
  if (value.map() == nullptr) {
    report_type(value, "'checkpoint'", "a map with 'path' and 'every'", diagnostics)
        .suggest("write 'checkpoint: {path: out/run.checkpoint, every: 50}'");
    return key;
  }
  check_keys(*value.map(), {"path", "every"}, "in 'checkpoint'", diagnostics);
  if (const Entry* path = value.find("path"); path != nullptr && !path->value->broken) {
    const Value::Scalar* text = path->value->scalar();
    const std::string* typed = path->value->typed != nullptr ? &path->value->typed->text : nullptr;
    if (typed == nullptr && text != nullptr) typed = &text->text;
    if (typed == nullptr || typed->empty())
      report_type(*path->value, "'path' of the checkpoint", "the name of a file", diagnostics);
    else
      key.path = *typed;
    key.path_span = path->value->span;
  }
  if (const Entry* every = value.find("every"); every != nullptr && !every->value->is_null())
    read_every(*every->value, key, diagnostics);
  if (key.every_iterations == 0 && key.every_seconds == 0) key.every_seconds = usual_seconds;
  return key;
}

}  // namespace gramflow
