#include "nodes/image/picture_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/written_path.h"
#include "framework/ops/host_function.h"

namespace gramflow {
namespace {

/// A change of the aspect that nobody overlooks: from 3:2 to 3:4.
constexpr double most_squeezed = 2;

}  // namespace

std::string find_input(LowerContext& context, std::string_view key, const std::string& path) {
  const Value* value = context.node().value_of(key);
  const FoundFile found = find_written(path, value != nullptr ? *value : Value{}, context.directory());
  if (value != nullptr) tell_found(found, *value, context.diagnostics());
  if (!found.path.empty()) return found.path;
  std::string message = "there is no picture '" + one_line(path) + "'";
  if (path.starts_with('[') && path.ends_with(']'))
    message +=
        "\n  one Load reads one picture; for several styles write a Load and a Gram for each and "
        "target: [first, second] at the loss";
  for (const std::string& place : found.looked)
    message += "\n  looked for " + std::filesystem::absolute(place).lexically_normal().string();
  throw MissingResource(message +
                        "\n  a relative path starts at the file that it is written in, and at the current "
                        "folder when it is typed at a shell");
}

WantedSize wanted_size(LowerContext& context, TensorId picture, const WantedSize& size, double factor) {
  constexpr double largest_side = 65536;
  WantedSize wanted = size;
  const PortValue* like = context.input("like");
  if (wanted == WantedSize{} && (like != nullptr || factor != 1)) {
    const PictureSize other = picture_size(context.desc(like != nullptr ? like->tensor : picture).shape);
    wanted = WantedSize::longest_side(std::max(other.width, other.height));
  }
  for (int* side : {&wanted.longest, &wanted.width, &wanted.height}) {
    const double scaled = std::round(*side * factor);
    if (scaled > largest_side) {
      context.error("out-of-range", "factor",
                    fmt::format("this makes a picture of {:.0f} pixels; at most {:.0f} were expected", scaled,
                                largest_side));
      return size;
    }
    if (*side > 0) *side = std::max(1, static_cast<int>(scaled));
  }
  return wanted;
}

TensorId emit_resize(LowerContext& context, TensorId picture, const WantedSize& wanted, ResizeFilter filter) {
  const PictureSize from = picture_size(context.desc(picture).shape);
  const PictureSize to = target_size(wanted, from);
  const double squeeze =
      static_cast<double>(to.width) * from.height / (static_cast<double>(to.height) * from.width);
  if (wanted.width > 0 && (squeeze >= most_squeezed || squeeze <= 1 / most_squeezed))
    context.diagnostics()
        .warning("squeezed", context.node().span_of("size"),
                 fmt::format("a picture of {}x{} is squeezed to {}x{}", from.width, from.height, to.width,
                             to.height))
        .suggest("one number keeps the aspect");
  if (from == to) return picture;
  const auto resizer = std::make_shared<const Resizer>(from, to, filter);
  HostFunction::Description description;
  description.kind = "Resize";
  description.attributes = std::string(name_of(filter));
  description.outputs = {{to.shape(), ElementType::f32}};
  description.scratch_bytes = resizer->scratch_floats() * sizeof(float);
  description.run = [resizer](const Bindings& memory) {
    resizer->run(memory.inputs[0].floats(), memory.outputs[0].floats(),
                 {static_cast<float*>(memory.scratch), resizer->scratch_floats()});
  };
  return context.emit(std::make_shared<HostFunction>(std::move(description)), {picture}, "resize").front();
}

}  // namespace gramflow
