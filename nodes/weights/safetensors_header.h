#pragma once
// The JSON in front of a safetensors file, as it stands there: nothing has been checked against the file yet.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gramflow {

struct SafetensorsHeader {
  struct Tensor {
    std::string type;
    std::vector<std::uint64_t> shape;
    std::vector<std::uint64_t> offsets;  ///< two
  };
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Throws RunError, `path` in front, for what is no JSON, nests too deep, names something twice, or gives a
/// tensor no proper type, shape or offsets. Time and memory grow with the length of the text only.
SafetensorsHeader parse_safetensors_header(const std::string& text, const std::string& path);

/// A name from a file as messages show it, in quotes.
std::string shown_name(std::string_view name);

}  // namespace gramflow
