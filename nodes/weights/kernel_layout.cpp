#include "nodes/weights/kernel_layout.h"

#include <algorithm>
#include <array>

namespace gramflow {
namespace {

constexpr std::string_view turned_ending = "-turned";

}  // namespace

std::string layout_text(const KernelLayout& layout) {
  return layout.axes + (layout.turned ? std::string(turned_ending) : "");
}

std::optional<KernelLayout> parse_layout(const std::string& text) {
  KernelLayout layout;
  layout.axes = text;
  layout.turned = text.ends_with(turned_ending);
  if (layout.turned) layout.axes.resize(text.size() - turned_ending.size());
  std::string sorted = layout.axes;
  std::sort(sorted.begin(), sorted.end());
  return sorted == "hiow" ? std::optional(layout) : std::nullopt;
}

std::vector<std::int64_t> layout_shape(const KernelLayout& layout, std::int64_t out, std::int64_t in,
                                       std::int64_t side) {
  std::vector<std::int64_t> shape;
  for (const char axis : layout.axes) shape.push_back(axis == 'o' ? out : axis == 'i' ? in : side);
  return shape;
}

std::vector<float> to_oihw(std::vector<float> numbers, const KernelLayout& layout, std::int64_t out,
                           std::int64_t in, std::int64_t side) {
  if (layout == KernelLayout{}) return numbers;
  const std::vector<std::int64_t> shape = layout_shape(layout, out, in, side);
  std::array<std::size_t, 4> step{};  // of o, i, h, w in `numbers`
  constexpr std::string_view order = "oihw";
  std::size_t inner = 1;
  for (std::size_t a = 4; a-- > 0; inner *= static_cast<std::size_t>(shape[a]))
    step[order.find(layout.axes[a])] = inner;
  std::vector<float> result;
  result.reserve(numbers.size());
  const auto last = static_cast<std::size_t>(side - 1);
  for (std::size_t o = 0; o < static_cast<std::size_t>(out); ++o)
    for (std::size_t i = 0; i < static_cast<std::size_t>(in); ++i)
      for (std::size_t y = 0; y <= last; ++y)
        for (std::size_t x = 0; x <= last; ++x)
          result.push_back(numbers[o * step[0] + i * step[1] + (layout.turned ? last - y : y) * step[2] +
                                   (layout.turned ? last - x : x) * step[3]]);
  return result;
}

}  // namespace gramflow
