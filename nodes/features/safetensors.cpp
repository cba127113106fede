#include "nodes/features/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/base/error.h"
#include "framework/base/text.h"

namespace gramflow {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t longest_header = 16U << 20;
constexpr std::size_t most_dimensions = 8;

std::size_t bytes_of(StoredType type) { return type == StoredType::f32 ? 4 : 2; }

[[noreturn]] void fail(const std::string& path, const std::string& what) { throw RunError(path + ": " + what); }

std::uint64_t read_length(std::ifstream& file, const std::string& path, std::uint64_t size) {
  if (size < 8) fail(path, fmt::format("not a safetensors file: it has {} bytes, too few for a header", size));
  unsigned char bytes[8];
  file.read(reinterpret_cast<char*>(bytes), 8);
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = (length << 8) | bytes[i];
  if (length > size - 8)
    fail(path, fmt::format("the header says it is {} bytes long, but the file has only {} after the length; it is truncated or no safetensors file", length,
                           size - 8));
  if (length > longest_header) fail(path, fmt::format("the header is {} long, more than the {} that are allowed", human_bytes(length), human_bytes(longest_header)));
  return length;
}

/// nlohmann keeps the last of two equal keys; here that is an error. Depth is limited, too.
Json parse_header(const std::string& text, const std::string& path) {
  std::vector<std::set<std::string>> keys;
  std::string twice;
  bool deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 4) deep = true;
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.empty() && !keys.back().insert(parsed.get<std::string>()).second && twice.empty())
      twice = parsed.get<std::string>();
    return !deep;
  };
  // A hostile header may nest a million brackets; the parser must not even begin.
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    if (depth > 1000) fail(path, "the header nests deeper than any safetensors header does");
  }
  Json header = Json::parse(text, watch, false);
  if (deep) fail(path, "the header nests deeper than any safetensors header does");
  if (header.is_discarded()) fail(path, "the header is not valid JSON; the file is damaged or no safetensors file");
  if (!header.is_object()) fail(path, "the header is no JSON object");
  if (!twice.empty()) fail(path, "the header names '" + twice + "' twice");
  return header;
}

std::uint64_t unsigned_number(const Json& value, const std::string& path, const std::string& name, const char* what) {
  if (!value.is_number_integer() || (value.is_number_integer() && !value.is_number_unsigned()))
    fail(path, fmt::format("tensor '{}': {} must be whole numbers from 0 on", name, what));
  return value.get<std::uint64_t>();
}

SafetensorsInfo parse_tensor(const Json& value, const std::string& path, const std::string& name, std::uint64_t data_begin, std::uint64_t data_size) {
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets") || !value["dtype"].is_string() ||
      !value["shape"].is_array() || !value["data_offsets"].is_array() || value["data_offsets"].size() != 2)
    fail(path, "tensor '" + name + "' has no proper dtype, shape and data_offsets");
  SafetensorsInfo info;
  const auto type = value["dtype"].get<std::string>();
  if (type == "F32")
    info.type = StoredType::f32;
  else if (type == "F16")
    info.type = StoredType::f16;
  else if (type == "BF16")
    info.type = StoredType::bf16;
  else
    fail(path, "tensor '" + name + "' has type " + type + "; F32, F16 and BF16 are read");
  if (value["shape"].size() > most_dimensions) fail(path, "tensor '" + name + "' has too many dimensions");
  std::uint64_t bytes = bytes_of(info.type);
  for (const Json& side : value["shape"]) {
    const std::uint64_t length = unsigned_number(side, path, name, "its shape");
    if (length != 0 && bytes > std::numeric_limits<std::int64_t>::max() / length) fail(path, "tensor '" + name + "' has an absurd shape");
    bytes *= length;
    info.shape.push_back(static_cast<std::int64_t>(length));
  }
  const std::uint64_t begin = unsigned_number(value["data_offsets"][0], path, name, "its offsets");
  const std::uint64_t end = unsigned_number(value["data_offsets"][1], path, name, "its offsets");
  if (begin > end) fail(path, fmt::format("tensor '{}' ends before it begins: offsets {} and {}", name, begin, end));
  if (end > data_size)
    fail(path, fmt::format("tensor '{}' ends at byte {} of the data, which has only {}; the file is truncated", name, end, data_size));
  if (end - begin != bytes)
    fail(path, fmt::format("tensor '{}' of shape [{}] takes {} bytes, but its offsets span {}", name, fmt::join(info.shape, ", "), bytes, end - begin));
  info.begin = data_begin + begin;
  info.end = data_begin + end;
  return info;
}

void check_layout(const std::map<std::string, SafetensorsInfo>& tensors, const std::string& path, std::uint64_t data_begin, std::uint64_t size) {
  std::vector<std::pair<SafetensorsInfo, std::string>> sorted;
  for (const auto& [name, info] : tensors) sorted.emplace_back(info, name);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return std::pair(a.first.begin, a.first.end) < std::pair(b.first.begin, b.first.end); });
  std::uint64_t at = data_begin;
  std::string before = "the header";
  for (const auto& [info, name] : sorted) {
    if (info.begin < at) fail(path, "tensors '" + before + "' and '" + name + "' overlap");
    if (info.begin > at) fail(path, fmt::format("{} bytes before tensor '{}' belong to nothing", info.begin - at, name));
    at = info.end;
    before = name;
  }
  if (at != size) fail(path, fmt::format("{} bytes after the last tensor belong to nothing", size - at));
}

float decode(const char* bytes, StoredType type) {
  if (type == StoredType::f32) {
    float value = 0;
    std::memcpy(&value, bytes, 4);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, bytes, 2);
  return type == StoredType::f16 ? float_from_half(bits) : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace

std::int64_t SafetensorsInfo::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  return count;
}

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) fail(path, "is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, "cannot be opened");
  const std::uint64_t size = std::filesystem::file_size(path, problem);
  if (problem) fail(path, "is no ordinary file");
  const std::uint64_t length = read_length(file, path, size);
  std::string text(length, '\0');
  file.read(text.data(), static_cast<std::streamsize>(length));
  if (!file) fail(path, "cannot be read");
  const std::uint64_t data_begin = 8 + length;
  for (const auto& [name, value] : parse_header(text, path).items()) {
    if (name != "__metadata__") {
      tensors_[name] = parse_tensor(value, path, name, data_begin, size - data_begin);
      continue;
    }
    if (!value.is_object()) fail(path, "its metadata is no map of texts");
    for (const auto& [key, entry] : value.items()) {
      if (!entry.is_string()) fail(path, "its metadata '" + key + "' is no text");
      metadata_[key] = entry.get<std::string>();
    }
  }
  check_layout(tensors_, path, data_begin, size);
}

std::vector<float> SafetensorsFile::read(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(path_, "has no tensor '" + name + "'");
  const SafetensorsInfo& info = found->second;
  std::vector<char> bytes(info.end - info.begin);
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(info.begin));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) fail(path_, "tensor '" + name + "' cannot be read; did the file change?");
  std::vector<float> values(static_cast<std::size_t>(info.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = decode(bytes.data() + i * bytes_of(info.type), info.type);
    if (!std::isfinite(values[i])) fail(path_, fmt::format("tensor '{}' holds {} at position {}; the file is damaged", name, values[i], i));
  }
  return values;
}

void write_safetensors(const std::string& path, const std::vector<SafetensorsEntry>& entries, const std::map<std::string, std::string>& metadata,
                       StoredType type) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  const char* type_name = type == StoredType::f32 ? "F32" : type == StoredType::f16 ? "F16" : "BF16";
  for (const SafetensorsEntry& entry : entries) {
    const std::uint64_t end = offset + entry.values.size() * bytes_of(type);
    header[entry.name] = {{"dtype", type_name}, {"shape", entry.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::string beside = path + ".part";
  std::ofstream file(beside, std::ios::binary);
  for (int i = 0; i < 8; ++i) file.put(static_cast<char>((text.size() >> (8 * i)) & 0xFFU));
  file << text;
  for (const SafetensorsEntry& entry : entries)
    for (const float value : entry.values) {
      if (type == StoredType::f32) {
        file.write(reinterpret_cast<const char*>(&value), 4);
      } else {
        const auto bits = type == StoredType::f16 ? half_from_float(value) : static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
        file.write(reinterpret_cast<const char*>(&bits), 2);
      }
    }
  file.close();
  std::error_code problem;
  if (file) std::filesystem::rename(beside, path, problem);
  if (!file || problem) {
    std::error_code ignored;
    std::filesystem::remove(beside, ignored);
    fail(path, "cannot be written");
  }
}

}  // namespace gramflow
