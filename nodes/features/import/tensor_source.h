#pragma once
// A file of named tensors, whatever its format.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gramflow {

enum class SourceFormat { keras, pytorch, safetensors };

struct SourceTensor {
  std::string name;
  std::string type;  ///< "F32", "F16", "BF16", "F64", "I64", ...
  std::vector<std::int64_t> shape;
};

/// Opened and its contents listed; no numbers are read before they are asked for. One thread. Everything
/// throws RunError with the path in front.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual SourceFormat format() const = 0;
  /// "a PyTorch state dict (ZIP format)"
  virtual std::string format_text() const = 0;
  virtual const std::vector<SourceTensor>& tensors() const = 0;
  /// What the file says of itself; "" for nothing.
  virtual std::string metadata(const std::string&) const { return ""; }
  /// Values of the tensors at these indices of tensors(), row by row, as float. Throws for types that hold no
  /// real numbers.
  virtual std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const = 0;
};

/// Recognises the format by content, not by name. Throws RunError for everything else, with a word on what it
/// seems to be.
std::unique_ptr<TensorSource> open_tensor_source(const std::string& path);

}  // namespace gramflow
