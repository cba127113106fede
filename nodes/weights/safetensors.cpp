// A header is believed only after everything in it agrees: the length with the file, each shape with its
// bytes, and all the tensors together with the data, which they must fill without gaps or overlaps. Numbers
// are read when asked for, one tensor at a time, so a huge file costs nothing until it is used.
#include "nodes/weights/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "framework/base/error.h"
#include "framework/base/plain_file.h"
#include "framework/base/text.h"
#include "nodes/weights/half.h"
#include "nodes/weights/safetensors_header.h"

namespace gramflow {
namespace {

static_assert(std::endian::native == std::endian::little,
              "weight files are little-endian and read as they are");

constexpr std::uint64_t longest_header = 4U << 20;

struct TypeName {
  const char* name;
  StoredType type;
  std::size_t bytes;
};
constexpr TypeName type_names[] = {
    {"F32", StoredType::f32, 4},    {"F16", StoredType::f16, 2},       {"BF16", StoredType::bf16, 2},
    {"F64", StoredType::f64, 8},    {"I64", StoredType::other, 8},     {"U64", StoredType::other, 8},
    {"I32", StoredType::other, 4},  {"U32", StoredType::other, 4},     {"I16", StoredType::other, 2},
    {"U16", StoredType::other, 2},  {"I8", StoredType::other, 1},      {"U8", StoredType::other, 1},
    {"BOOL", StoredType::other, 1}, {"F8_E4M3", StoredType::other, 1}, {"F8_E5M2", StoredType::other, 1},
};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw RunError(path + ": " + what);
}

/// What a file is by its first eight bytes, when that is something that import reads; "" for nothing.
std::string_view other_format(const unsigned char* bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes), 8);
  if (head.starts_with("PK\x03\x04")) return "a ZIP archive, as PyTorch's .pth, numpy's .npz and .keras are";
  if (head.starts_with("\x89HDF")) return "an HDF5 file, as Keras's are";
  if (head.starts_with("\x80\x02") || head.starts_with("\x80\x03") || head.starts_with("\x80\x04"))
    return "a Python pickle, as PyTorch's old .pth are";
  if (head.starts_with("\x93NUMPY")) return "a numpy file";
  if (head.starts_with("MATLAB ")) return "a MATLAB file";
  return "";
}

std::uint64_t read_length(std::ifstream& file, const std::string& path, std::uint64_t size) {
  if (size < 8) fail(path, fmt::format("no safetensors file: it has {} bytes, too few for a header", size));
  unsigned char bytes[8];
  if (!file.read(reinterpret_cast<char*>(bytes), 8)) fail(path, "cannot be read");
  if (const std::string_view other = other_format(bytes); !other.empty())
    fail(path,
         fmt::format(
             "is no safetensors file, but {}; convert it: gramflow weights import {} -o FILE.safetensors",
             other, path));
  if (bytes[0] == '<')
    fail(path,
         "is no safetensors file, but a web page or another text, perhaps an error message instead of a "
         "download");
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = (length << 8) | bytes[i];
  if (length > size - 8)
    fail(path,
         fmt::format("the header should be {} bytes long, but only {} follow; the file is truncated or no "
                     "safetensors file",
                     length, size - 8));
  if (length > longest_header)
    fail(path, fmt::format("the header is {} long; at most {} are read", human_bytes(length),
                           human_bytes(longest_header)));
  return length;
}

SafetensorsInfo check_tensor(const SafetensorsHeader::Tensor& said, const std::string& path,
                             const std::string& name, std::uint64_t data_begin, std::uint64_t data_size) {
  SafetensorsInfo info;
  info.type_name = said.type;
  const auto* type = std::find_if(std::begin(type_names), std::end(type_names),
                                  [&](const TypeName& known) { return known.name == info.type_name; });
  if (type == std::end(type_names))
    fail(path, "tensor " + shown_name(name) + " has the unknown type " + shown_name(info.type_name) +
                   "; F64, F32, F16 and BF16 are read");
  info.type = type->type;
  std::uint64_t bytes = type->bytes;
  for (const std::uint64_t length : said.shape) {
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (length > limit || (length != 0 && bytes > limit / length))
      fail(path,
           fmt::format("tensor {} has an absurd shape: [{}]", shown_name(name), fmt::join(said.shape, ", ")));
    bytes *= length;
    info.shape.push_back(static_cast<std::int64_t>(length));
  }
  const std::uint64_t begin = said.offsets[0];
  const std::uint64_t end = said.offsets[1];
  if (begin > end)
    fail(path,
         fmt::format("tensor {} ends before it begins: offsets {} and {}", shown_name(name), begin, end));
  if (end > data_size)
    fail(path, fmt::format("tensor {} ends at byte {} of the data, which has only {}; the file is truncated",
                           shown_name(name), end, data_size));
  if (end - begin != bytes)
    fail(path, fmt::format("tensor {} of shape [{}] takes {} bytes, but its offsets span {}",
                           shown_name(name), fmt::join(info.shape, ", "), bytes, end - begin));
  info.begin = data_begin + begin;
  info.end = data_begin + end;
  return info;
}

void check_layout(const std::map<std::string, SafetensorsInfo>& tensors, const std::string& path,
                  std::uint64_t data_begin, std::uint64_t size) {
  std::vector<std::pair<const SafetensorsInfo*, const std::string*>> sorted;
  for (const auto& [name, info] : tensors) sorted.emplace_back(&info, &name);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end);
  });
  std::uint64_t at = data_begin;
  const std::string* before = nullptr;
  for (const auto& [info, name] : sorted) {
    if (info->begin < at)
      fail(path, "tensors " + shown_name(*before) + " and " + shown_name(*name) + " overlap");
    if (info->begin > at)
      fail(path,
           fmt::format("{} bytes before tensor {} belong to nothing", info->begin - at, shown_name(*name)));
    at = info->end;
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
  if (type == StoredType::f64) {
    double value = 0;
    std::memcpy(&value, bytes, 8);
    return static_cast<float>(value);
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, bytes, 2);
  return type == StoredType::f16 ? float_from_half(bits) : float_from_bfloat(bits);
}

}  // namespace

std::int64_t SafetensorsInfo::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  return count;
}

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) fail(path, "there is no such file");
  if (std::filesystem::is_directory(status)) fail(path, "is a folder; expected a safetensors file");
  if (const std::string kind = not_a_plain_file(path); !kind.empty())
    fail(path, "is no ordinary file, but " + kind);
  const std::uint64_t size = std::filesystem::file_size(path, problem);
  std::ifstream file(path, std::ios::binary);
  if (problem || !file) fail(path, "cannot be opened");
  const std::uint64_t length = read_length(file, path, size);
  std::string text(length, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(length))) fail(path, "cannot be read");
  const std::uint64_t data_begin = 8 + length;
  SafetensorsHeader header = parse_safetensors_header(text, path);
  metadata_ = std::move(header.metadata);
  for (const auto& [name, said] : header.tensors)
    tensors_[name] = check_tensor(said, path, name, data_begin, size - data_begin);
  check_layout(tensors_, path, data_begin, size);
}

std::vector<float> SafetensorsFile::read(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(path_, "has no tensor " + shown_name(name));
  const SafetensorsInfo& info = found->second;
  if (info.type == StoredType::other)
    fail(path_, "tensor " + shown_name(name) + " is of type " + info.type_name +
                    "; F64, F32, F16 and BF16 are read");
  std::vector<char> bytes(info.end - info.begin);
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(info.begin));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    fail(path_, "tensor " + shown_name(name) + " cannot be read; did the file change?");
  const std::size_t step = info.type == StoredType::f64 ? 8 : info.type == StoredType::f32 ? 4 : 2;
  std::vector<float> values(bytes.size() / step);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = decode(bytes.data() + i * step, info.type);
    if (!std::isfinite(values[i]))
      fail(path_, fmt::format("tensor {} holds {} at position {}; the file is damaged", shown_name(name),
                              values[i], i));
  }
  return values;
}

}  // namespace gramflow
