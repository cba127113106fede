#pragma once
// Arrays of a MATLAB file (5 to 7.3), through libmatio, which was not written for hostile input: this runs in
// the child program only.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nodes/import/tensor_source.h"

namespace gramflow {

struct MatlabContents {
  /// Every real array of single or double precision by the way to it: "net.layers.3.weights.0"; those of
  /// MatConvNet's layers by the layer: "conv1_1.weight".
  std::vector<SourceTensor> tensors;
  /// "matconvnet" when there were such layers, "mean" (red, green, blue) when the file says what it
  /// subtracts, "padding NAME" and "trouble NAME" of kernels.
  std::map<std::string, std::string> texts;
};

/// A file, open as long as the object. Everything throws RunError, the path in front.
class MatlabFile {
 public:
  explicit MatlabFile(const std::string& path);
  ~MatlabFile();
  MatlabFile(const MatlabFile&) = delete;
  MatlabFile& operator=(const MatlabFile&) = delete;
  const MatlabContents& contents() const;
  /// The numbers of the array at this index of contents().tensors, as float, the last side running fastest.
  std::vector<float> read(std::size_t index) const;

 private:
  class Walker;
  std::unique_ptr<Walker> walker_;
};

}  // namespace gramflow
