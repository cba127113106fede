#pragma once
// What numpy saves: .npz archives of arrays, .npy files of one array, and .npy files of a pickled dictionary
// (vgg19.npy: {"conv1_1": [kernel, bias]}). Pickles are read, never run.
#include <memory>

#include "nodes/import/byte_file.h"
#include "nodes/import/tensor_source.h"

namespace gramflow {

std::unique_ptr<TensorSource> open_npy(std::unique_ptr<ByteFile> file);
/// `file` is a ZIP archive with records of .npy.
std::unique_ptr<TensorSource> open_npz(std::unique_ptr<ByteFile> file);

}  // namespace gramflow
