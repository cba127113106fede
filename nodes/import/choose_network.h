#pragma once
// Which network a file of weights is for, and which of its sets of tensors.
#include <memory>

#include "nodes/import/import_weights.h"
#include "nodes/import/tensor_naming.h"
#include "nodes/weights/checksum.h"

namespace gramflow {

struct NetworkChoice {
  std::shared_ptr<const Network> network;
  NetworkMatch match;
  std::string format;      ///< for the report
  std::string set;         ///< for the report: which prefix, and why
  std::string why;         ///< for the report: why this network
  std::string convention;  ///< for the report, with the reason
  /// What the weights want, when it is not what the network gives but can be made so exactly.
  std::optional<InputConvention> change_from;
};

/// The network that was asked for, or the only one that fits. Throws like import_weights(): also when several
/// sets of the file fit, or several networks do.
NetworkChoice choose_network(const ImportOptions& options, const TensorSource& source,
                             const TensorNames& names, const Checksums& checksums, const NetworkPaths& paths);

}  // namespace gramflow
