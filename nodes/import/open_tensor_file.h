#pragma once
// Internal to the child program: see open_tensor_source() for the way to it.
#include <memory>
#include <string>

#include "nodes/import/tensor_source.h"

namespace gramflow {

/// Opens a file of weights in this process. `scratch` is an empty file that a .keras archive is unpacked
/// into; it may be removed as soon as this returns. Throws RunError.
std::unique_ptr<TensorSource> open_tensor_file(const std::string& path, const std::string& scratch);

}  // namespace gramflow
