#pragma once
// A VGG of two convolutions, 3 -> 4 -> 5 channels with a pool between them, and its weights in every format.
#include <map>
#include <string>
#include <vector>

#include "tests/weights/make_hdf5.h"
#include "tests/weights/make_torch.h"
#include "tests/weights/support.h"

namespace gramflow::test {

/// The networks "small" (torchvision's input) and "small-caffe", alone in a folder, with a cache beside.
struct SmallVgg {
  SmallVgg();

  TemporaryFolder folder;
  NetworkPaths paths;
  std::vector<float> weight1, bias1, weight2, bias2;  ///< OIHW; no two numbers are equal

  /// A state dict with torchvision's names.
  std::string torch_file(const std::string& prefix = "") const;
  std::string torch_legacy_file() const;
  void put_keras_file(const std::string& file) const;
  /// With names of one's choice: conv1_1.weight, features.0.weight, ...
  void put_safetensors_file(const std::string& file, const std::string& first, const std::string& second,
                            const std::map<std::string, std::string>& metadata = {}) const;
  /// True when the file holds exactly these weights under the networks' own names.
  bool is_in(const std::string& file) const;
};

}  // namespace gramflow::test
