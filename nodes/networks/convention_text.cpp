#include "nodes/networks/convention_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <locale>
#include <sstream>

namespace gramflow {

std::string convention_text(const InputConvention& convention) {
  return fmt::format("{} x {}, mean {}, std {}", convention.order == ChannelOrder::rgb ? "rgb" : "bgr",
                     convention.scale, fmt::join(convention.mean, " "), fmt::join(convention.std, " "));
}

std::optional<InputConvention> parse_convention(const std::string& text) {
  std::string words = text;
  std::replace(words.begin(), words.end(), ',', ' ');
  std::istringstream stream(words);
  stream.imbue(std::locale::classic());
  InputConvention convention;
  std::string order, times, mean, std_word, rest;
  stream >> order >> times >> convention.scale >> mean;
  for (double& value : convention.mean) stream >> value;
  stream >> std_word;
  for (double& value : convention.std) stream >> value;
  const bool whole = !stream.fail() && !(stream >> rest);
  if (!whole || (order != "rgb" && order != "bgr") || times != "x" || mean != "mean" || std_word != "std")
    return std::nullopt;
  convention.order = order == "rgb" ? ChannelOrder::rgb : ChannelOrder::bgr;
  const auto usable = [](double value) { return std::isfinite(value) && value != 0; };
  if (!usable(convention.scale) || !std::all_of(convention.std.begin(), convention.std.end(), usable))
    return std::nullopt;
  return convention;
}

InputConvention torchvision_convention() {
  return {ChannelOrder::rgb, 1, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
}

InputConvention caffe_convention() { return {ChannelOrder::bgr, 255, {123.68, 116.779, 103.939}, {1, 1, 1}}; }

}  // namespace gramflow
