#include "nodes/image/picture_parameters.h"

#include <filesystem>

#include "framework/ops/host_function.h"

namespace gramflow {

std::string find_input(const std::string& path, const std::string& directory) {
  const std::filesystem::path wanted(path);
  if (wanted.is_absolute() || directory.empty() || directory == ".") return path;
  const std::filesystem::path beside = std::filesystem::path(directory) / wanted;
  std::error_code ignored;
  if (!std::filesystem::exists(beside, ignored) && std::filesystem::exists(wanted, ignored)) return path;
  return beside.lexically_normal().string();
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
    resizer->run(memory.inputs[0].floats(), memory.outputs[0].floats(), {static_cast<float*>(memory.scratch), resizer->scratch_floats()});
  };
  return context.emit(std::make_shared<HostFunction>(std::move(description)), {picture}, "resize").front();
}

}  // namespace gramflow
