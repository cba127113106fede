#include "nodes/image/picture_parameters.h"

#include <algorithm>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/ops/host_function.h"

namespace gramflow {

std::string find_input(const LowerContext& context, std::string_view key, const std::string& path) {
  namespace fs = std::filesystem;
  if (fs::path(path).is_absolute()) return path;
  std::vector<std::string> folders;
  const Span span = context.node().span_of(key);
  const bool written_in_file = span.file != nullptr && !span.file->name().starts_with("--set");
  if (written_in_file) folders.push_back(fs::path(span.file->name()).parent_path().string());
  folders.push_back(context.directory() == "." ? "" : context.directory());
  folders.push_back("");
  std::vector<std::string> looked;
  for (const std::string& folder : folders) {
    const std::string candidate = (fs::path(folder) / path).lexically_normal().string();
    std::error_code ignored;
    if (fs::exists(candidate, ignored)) return candidate;
    if (std::find(looked.begin(), looked.end(), candidate) == looked.end()) looked.push_back(candidate);
  }
  std::string message = "there is no picture '" + path + "'";
  for (const std::string& place : looked)
    message += "\n  looked for " + fs::absolute(place).lexically_normal().string();
  throw MissingResource(
      message + "\n  a relative path starts at the file that it is written in, or at the current folder");
}

TensorId emit_resize(LowerContext& context, TensorId picture, const WantedSize& wanted, ResizeFilter filter) {
  const PictureSize from = picture_size(context.desc(picture).shape);
  const PictureSize to = target_size(wanted, from);
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
