#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "nodes/weights/half.h"
#include "nodes/weights/safetensors.h"

namespace gramflow {
namespace {

std::vector<std::uint16_t> to_half(const std::string& path, const std::string& name,
                                   const std::vector<float>& values) {
  std::vector<std::uint16_t> halves;
  halves.reserve(values.size());
  for (const float value : values) {
    halves.push_back(half_from_float(value));
    if (!std::isfinite(float_from_half(halves.back())))
      throw RunError(
          fmt::format("{}: {} in '{}' is too large for F16; store F32 instead", path, value, name));
  }
  return halves;
}

std::uint64_t count_of(const std::vector<std::int64_t>& shape) {
  std::uint64_t count = 1;
  for (const std::int64_t side : shape) count *= static_cast<std::uint64_t>(side);
  return count;
}

std::string header_text(const std::vector<SafetensorsShape>& tensors,
                        const std::map<std::string, std::string>& metadata, StoredType type) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const SafetensorsShape& tensor : tensors) {
    const std::uint64_t end = offset + count_of(tensor.shape) * (type == StoredType::f16 ? 2 : 4);
    header[tensor.name] = {{"dtype", type == StoredType::f16 ? "F16" : "F32"},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  // A path in the metadata may be no UTF-8. Padding keeps the numbers aligned.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::string& path, std::vector<SafetensorsShape> tensors,
                                     const std::map<std::string, std::string>& metadata, StoredType type)
    : path_(path), tensors_(std::move(tensors)), type_(type) {
  if (type != StoredType::f32 && type != StoredType::f16)
    throw RunError(path + ": only F32 and F16 are written");
  const std::string header = header_text(tensors_, metadata, type);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>((header.size() >> (8 * i)) & 0xFFU);
  file_ = std::make_unique<ReplacedFile>(path);
  file_->write(length, sizeof length);
  file_->write(header.data(), header.size());
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::write(const std::vector<float>& values) {
  const SafetensorsShape& tensor = tensors_.at(next_++);
  if (values.size() != count_of(tensor.shape))
    throw RunError(fmt::format("{}: '{}' has {} numbers, its shape wants {}", path_, tensor.name,
                               values.size(), count_of(tensor.shape)));
  if (type_ == StoredType::f32) return file_->write(values.data(), values.size() * sizeof(float));
  const std::vector<std::uint16_t> halves = to_half(path_, tensor.name, values);
  file_->write(halves.data(), halves.size() * sizeof(std::uint16_t));
}

void SafetensorsWriter::commit() {
  if (next_ != tensors_.size()) throw RunError(path_ + ": not every tensor was written");
  file_->commit();
}

void write_safetensors(const std::string& path, const std::vector<SafetensorsEntry>& entries,
                       const std::map<std::string, std::string>& metadata, StoredType type) {
  std::vector<SafetensorsShape> shapes;
  for (const SafetensorsEntry& entry : entries) shapes.push_back({entry.name, entry.shape});
  SafetensorsWriter writer(path, std::move(shapes), metadata, type);
  for (const SafetensorsEntry& entry : entries) writer.write(entry.values);
  writer.commit();
}

}  // namespace gramflow
