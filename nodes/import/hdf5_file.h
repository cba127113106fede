#pragma once
#include <memory>
#include <string>

#include "nodes/import/tensor_source.h"

namespace gramflow {

/// A Keras file or another of HDF5, with or without a user block in front. `shown` is what messages call it;
/// `config` what a .keras archive says of the model.
std::unique_ptr<TensorSource> open_hdf5(const std::string& path, const std::string& shown = "",
                                        const std::string& config = "");

/// "\x89HDF" at one of the places where the format allows it.
bool is_hdf5(const std::string& path);

}  // namespace gramflow
