#pragma once
// What torch.save writes of a state dict: the ZIP format (PyTorch 1.6 and later) and the legacy one before
// it. Nothing in the file is executed: see pickle.h.
#include <memory>

#include "nodes/import/byte_file.h"
#include "nodes/import/tensor_source.h"

namespace gramflow {

std::unique_ptr<TensorSource> open_torch_zip(std::unique_ptr<ByteFile> file);
std::unique_ptr<TensorSource> open_torch_legacy(std::unique_ptr<ByteFile> file);

}  // namespace gramflow
