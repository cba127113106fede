#pragma once
// Datasets of an HDF5 file, through the HDF5 library. The library trusts its files: so this runs in
// the child program only.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nodes/import/tensor_source.h"

namespace gramflow {

struct Hdf5Contents {
  std::vector<SourceTensor> tensors;
  /// Texts among what Keras writes at the file or its group model_weights: keras_version, backend,
  /// model_config; other known keys without their values.
  std::map<std::string, std::string> attributes;
};

/// A file, open as long as the object. Links to other files, and datasets that keep their numbers in other
/// files, are not followed: they throw. Everything throws RunError, `shown` in front.
class Hdf5File {
 public:
  Hdf5File(const std::string& path, std::string shown);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;
  /// Every dataset of at most 8 dimensions that hangs in the file's own groups, by path without the first
  /// '/'.
  Hdf5Contents list() const;
  /// Its numbers, as float. Throws also for a dataset larger than the file can fill.
  std::vector<float> read(const SourceTensor& dataset) const;

 private:
  struct Open;
  std::string shown_;
  std::unique_ptr<const Open> open_;
};

}  // namespace gramflow
