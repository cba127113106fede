#pragma once
#include <memory>
#include <string>

#include "nodes/import/tensor_source.h"

namespace gramflow {

std::unique_ptr<TensorSource> open_safetensors(const std::string& path);

}  // namespace gramflow
