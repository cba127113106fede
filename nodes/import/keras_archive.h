#pragma once
#include <memory>

#include "nodes/import/byte_file.h"
#include "nodes/import/tensor_source.h"

namespace gramflow {

/// A .keras file of Keras 3: a ZIP archive of config.json and model.weights.h5, which is unpacked into
/// `scratch`, because the HDF5 library wants a file with a name.
std::unique_ptr<TensorSource> open_keras_archive(const ByteFile& file, const std::string& scratch);

}  // namespace gramflow
