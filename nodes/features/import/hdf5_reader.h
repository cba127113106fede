#pragma once
// Datasets of an HDF5 file, through the HDF5 library. The library trusts its files: hdf5_file.cpp calls this
// in a child process.
#include <map>
#include <string>
#include <vector>

#include "nodes/features/import/tensor_source.h"

namespace gramflow {

struct Hdf5Contents {
  std::vector<SourceTensor> tensors;
  /// Texts among what Keras writes at the file or its group model_weights: keras_version, backend,
  /// model_config; other known keys without their values.
  std::map<std::string, std::string> attributes;
};

/// Every dataset of at most 8 dimensions that hangs in the file's own groups, by path without the first '/'.
/// Links to other files, and datasets that keep their numbers in other files, are not followed: they throw.
/// Throws RunError.
Hdf5Contents list_hdf5(const std::string& path);

/// The numbers of these datasets, as float. Throws RunError, also for a dataset larger than the file can
/// fill.
std::vector<std::vector<float>> read_hdf5(const std::string& path, const std::vector<SourceTensor>& datasets);

}  // namespace gramflow
