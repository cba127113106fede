#pragma once
#include <memory>
#include <string>

#include "nodes/features/import/tensor_source.h"

namespace gramflow {

/// A Keras file. Every use of the HDF5 library happens in a child process with limited time and memory.
std::unique_ptr<TensorSource> open_hdf5(const std::string& path);

}  // namespace gramflow
