#pragma once
// A file of named tensors, whatever its format.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/weights/kernel_layout.h"

namespace gramflow {

enum class SourceFormat { keras, pytorch, safetensors, numpy, matlab, onnx, caffe };

struct SourceTensor {
  std::string name;
  std::string type;  ///< "F32", "F16", "BF16", "F64", "I64", ...
  std::vector<std::int64_t> shape;
};

/// What a file says of the layer that a kernel belongs to. Most say nothing.
struct LayerFacts {
  /// Why a network file cannot express the layer: "has the stride 2"; "" when nothing speaks against it.
  std::string trouble;
  bool no_bias = false;           ///< it has none, as opposed to: nothing known
  std::string bias;               ///< the tensor that is its bias; "" when only names can tell
  bool activated_inside = false;  ///< its ReLU comes before anything else
  std::optional<int> padding;     ///< with zeros, on each side
  /// Tensors of the batch norm that stands between it and its activation begin with this; "" for none.
  std::string norm;
};

/// One of the convolutions that a model applies one after the other.
struct ChainLink {
  std::size_t kernel = 0;  ///< index in tensors()
  int pools = 0;           ///< between the one before (or the input) and this one
};

/// How kernels lie in the file, and how that is known.
struct SourceLayout {
  std::optional<KernelLayout> layout;  ///< empty: the file does not say
  std::string reason;                  ///< why it does not, or what says it
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
  /// Never concluded from shapes.
  virtual SourceLayout layout(std::size_t) const { return {KernelLayout{}, ""}; }
  virtual LayerFacts facts(std::size_t) const { return {}; }
  /// From the first on, as far as the model says their order and they are one behind the other.
  virtual std::vector<ChainLink> chain() const { return {}; }
  /// Of the norm whose tensors begin with this; empty when the file does not say.
  virtual std::optional<double> epsilon(const std::string&) const { return std::nullopt; }
  /// Values of the tensors at these indices of tensors(), row by row, as float. Throws for types that hold no
  /// real numbers.
  virtual std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const = 0;
};

/// Recognises the format by content, not by name. The file is read by a child program with limited time and
/// memory, which lives as long as the source. Throws RunError for everything else, with a word on what it
/// seems to be; MissingResource when the child cannot be started.
std::unique_ptr<TensorSource> open_tensor_source(const std::string& path);

}  // namespace gramflow
