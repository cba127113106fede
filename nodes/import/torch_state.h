#pragma once
// From a pickle to tensors: which parts of which storages they are.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nodes/import/pickle.h"

namespace gramflow {

/// A block of numbers that tensors look into; several may share one.
struct TorchStorage {
  std::string type;  ///< "F32"
  std::uint64_t element_bytes = 0;
  std::uint64_t elements = 0;
};

struct TorchTensor {
  std::string name;
  std::string storage;       ///< key
  std::uint64_t offset = 0;  ///< in elements
  std::uint64_t reach = 0;   ///< elements from the first to the last it looks at; 0 when it is empty
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

struct TorchState {
  std::map<std::string, TorchStorage> storages;
  std::vector<TorchTensor> tensors;
};

/// Throws PickleError for a pickle that mentions a Python name which is not harmless: see torch_state.cpp.
void check_globals(const Pickle& pickle);

/// Throws PickleError: names other than those that make tensors, values that are no state dict, tensors
/// outside of their storages.
TorchState read_torch_state(const Pickle& pickle);

}  // namespace gramflow
