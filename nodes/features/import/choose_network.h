#pragma once
// Which network a file of weights is for.
#include <memory>

#include "nodes/features/import/import_weights.h"
#include "nodes/features/import/tensor_naming.h"

namespace gramflow {

struct NetworkChoice {
  std::shared_ptr<const Network> network;
  NetworkMatch match;
  std::string format;      ///< for the report
  std::string convention;  ///< for the report, with the reason
  Naming naming = Naming::own;
};

/// The network that was asked for, or the one that fits best. Throws like import_weights().
NetworkChoice choose_network(const ImportOptions& options, const TensorSource& source,
                             const NetworkPaths& paths);

}  // namespace gramflow
