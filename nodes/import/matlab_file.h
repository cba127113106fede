#pragma once
#include <memory>
#include <string>

#include "nodes/import/tensor_source.h"

namespace gramflow {

/// A MATLAB file (5 to 7.3).
std::unique_ptr<TensorSource> open_matlab(const std::string& path);

}  // namespace gramflow
