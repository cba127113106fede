#include "nodes/import/number_bytes.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "nodes/weights/half.h"

namespace gramflow {

std::size_t number_size(std::string_view type) {
  return type == "F64" ? 8 : type == "F32" ? 4 : type == "F16" || type == "BF16" ? 2 : 0;
}

std::vector<float> numbers_from_bytes(std::string_view bytes, std::string_view type, bool big_endian) {
  const std::size_t size = number_size(type);
  std::vector<float> values;
  if (size == 0) return values;
  values.reserve(bytes.size() / size);
  char one[8];
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    std::memcpy(one, bytes.data() + at, size);
    if (big_endian) std::reverse(one, one + size);
    if (size == 8) {
      double value = 0;
      std::memcpy(&value, one, 8);
      values.push_back(static_cast<float>(value));
    } else if (size == 4) {
      float value = 0;
      std::memcpy(&value, one, 4);
      values.push_back(value);
    } else {
      std::uint16_t bits = 0;
      std::memcpy(&bits, one, 2);
      values.push_back(type == "F16" ? float_from_half(bits) : float_from_bfloat(bits));
    }
  }
  return values;
}

std::vector<float> from_column_major(const std::vector<float>& values,
                                     const std::vector<std::int64_t>& shape) {
  std::vector<float> result(values.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  for (const float value : values) {
    std::int64_t at = 0;
    for (std::size_t side = 0; side < shape.size(); ++side) at = at * shape[side] + index[side];
    result[static_cast<std::size_t>(at)] = value;
    for (std::size_t side = 0; side < shape.size(); ++side) {
      if (++index[side] < shape[side]) break;
      index[side] = 0;
    }
  }
  return result;
}

}  // namespace gramflow
