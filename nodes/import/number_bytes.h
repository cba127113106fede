#pragma once
// Numbers of the types that weight files store, as float.
#include <string>
#include <string_view>
#include <vector>

namespace gramflow {

/// Bytes of one number of this type ("F32", "F64", "F16", "BF16"); 0 for types that hold no real numbers.
std::size_t number_size(std::string_view type);
/// `bytes` holds whole numbers, the lowest byte first unless `big_endian`.
std::vector<float> numbers_from_bytes(std::string_view bytes, std::string_view type, bool big_endian = false);

/// An array whose first side runs fastest (Fortran, MATLAB), as one whose last side does.
std::vector<float> from_column_major(const std::vector<float>& values,
                                     const std::vector<std::int64_t>& shape);

}  // namespace gramflow
