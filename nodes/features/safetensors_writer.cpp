#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "nodes/features/half.h"
#include "nodes/features/safetensors.h"

namespace gramflow {
namespace {

std::vector<std::uint16_t> to_half(const std::string& path, const SafetensorsEntry& entry) {
  std::vector<std::uint16_t> halves;
  halves.reserve(entry.values.size());
  for (const float value : entry.values) {
    halves.push_back(half_from_float(value));
    if (!std::isfinite(float_from_half(halves.back())))
      throw RunError(
          fmt::format("{}: {} in '{}' is too large for F16; store F32 instead", path, value, entry.name));
  }
  return halves;
}

std::string header_text(const std::vector<SafetensorsEntry>& entries,
                        const std::map<std::string, std::string>& metadata, StoredType type) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::uint64_t end = offset + entry.values.size() * (type == StoredType::f16 ? 2 : 4);
    header[entry.name] = {{"dtype", type == StoredType::f16 ? "F16" : "F32"},
                          {"shape", entry.shape},
                          {"data_offsets", {offset, end}}};
    offset = end;
  }
  // A path in the metadata may be no UTF-8. Padding keeps the numbers aligned.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<SafetensorsEntry>& entries,
                       const std::map<std::string, std::string>& metadata, StoredType type) {
  if (type != StoredType::f32 && type != StoredType::f16)
    throw RunError(path + ": only F32 and F16 are written");
  const std::string header = header_text(entries, metadata, type);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>((header.size() >> (8 * i)) & 0xFFU);
  ReplacedFile file(path);
  file.write(length, sizeof length);
  file.write(header.data(), header.size());
  for (const SafetensorsEntry& entry : entries) {
    if (type == StoredType::f32) {
      file.write(entry.values.data(), entry.values.size() * sizeof(float));
      continue;
    }
    const std::vector<std::uint16_t> halves = to_half(path, entry);
    file.write(halves.data(), halves.size() * sizeof(std::uint16_t));
  }
  file.commit();
}

}  // namespace gramflow
