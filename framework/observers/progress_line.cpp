#include "framework/observers/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/text.h"

namespace gramflow {
namespace {

constexpr std::string_view gap = "  ";

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) next_code_point(text, at);
  return count;
}

std::string cut(const std::string& text, std::size_t most) {
  std::size_t at = 0;
  for (std::size_t count = 0; at < text.size() && count < most; ++count) next_code_point(text, at);
  return text.substr(0, at);
}

/// As long as the terminal is wide, whatever else is in the line, so that it does not jump about.
std::string bar(double share, int columns) {
  const auto cells = static_cast<std::size_t>(std::clamp(columns / 6, 10, 30));
  const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(cells));
  return "[" + std::string(filled, '#') + std::string(cells - filled, '.') + "]";
}

}  // namespace

std::string rate_text(double seconds_per_iteration) {
  if (!(seconds_per_iteration > 0)) return "- it/s";
  if (seconds_per_iteration >= 1) return fmt::format("{:.3g} s/it", seconds_per_iteration);
  return fmt::format("{:.3g} it/s", 1 / seconds_per_iteration);
}

std::string progress_line(const ProgressNumbers& numbers, std::span<const ReportedLoss> losses, int columns) {
  const std::size_t width =
      columns > 0 ? static_cast<std::size_t>(columns) : static_cast<std::size_t>(-1) / 2;
  std::string how_far =
      fmt::format("{:3.0f} %  {}/{}", std::floor(100 * numbers.share), numbers.done, numbers.iterations);
  if (!numbers.optimizer.empty()) how_far = one_line(std::string(numbers.optimizer)) + "  " + how_far;
  if (numbers.stages > 1)
    how_far = fmt::format("stage {}/{}  {}", numbers.stage + 1, numbers.stages, how_far);
  std::size_t used = characters(how_far);
  const auto fits = [&](const std::string& text) {
    if (text.empty() || used + gap.size() + characters(text) > width) return false;
    used += gap.size() + characters(text);
    return true;
  };
  std::string loss = fmt::format("loss {:.5g}", numbers.total);
  std::string left = human_seconds(numbers.seconds_left) + " left";
  std::string rate = rate_text(numbers.seconds_per_iteration);
  if (!fits(loss)) loss.clear();
  if (!fits(left)) left.clear();
  if (!fits(rate)) rate.clear();
  std::string bar_text = columns > 0 ? bar(numbers.share, columns) : "";
  if (!fits(bar_text)) bar_text.clear();
  std::vector<std::string> terms;
  if (losses.size() > 1)
    for (const ReportedLoss& term : losses) {
      std::string text = fmt::format("{} {:.4g}", one_line(term.node), term.value);
      if (!fits(text)) break;
      terms.push_back(std::move(text));
    }

  std::string line;
  const auto add = [&](const std::string& text) {
    if (text.empty()) return;
    if (!line.empty()) line += gap;
    line += text;
  };
  add(bar_text);
  for (const std::string* text : {&how_far, &rate, &left, &loss}) add(*text);
  for (const std::string& text : terms) add(text);
  return cut(line, width);
}

}  // namespace gramflow
