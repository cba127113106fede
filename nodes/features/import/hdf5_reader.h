#pragma once
// Datasets of an HDF5 file, through the HDF5 library. The library trusts its files: hdf5_file.cpp calls this
// in a child process.
#include <string>
#include <vector>

#include "nodes/features/import/tensor_source.h"

namespace gramflow {

/// Every dataset of at most 8 dimensions that hangs in the file's own groups, by path without the first '/'.
/// Links to other files, and datasets that keep their numbers in other files, are not followed: they throw.
/// Throws RunError.
std::vector<SourceTensor> list_hdf5(const std::string& path);

/// The numbers of these datasets, as float. Throws RunError, also for a dataset larger than the file can
/// fill.
std::vector<std::vector<float>> read_hdf5(const std::string& path, const std::vector<SourceTensor>& datasets);

}  // namespace gramflow
