#pragma once
// From somebody's file to a weights file that says what it is.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nodes/networks/network.h"

namespace gramflow {

struct ImportOptions {
  std::string file;
  std::string output;
  std::string network;  ///< a name or a path to a .yaml; "": the only one that fits
  std::string
      convention;  ///< "torchvision", "caffe", "network" (whatever the network says); "": by the kind of file
  std::optional<std::string> prefix;  ///< of the set of tensors that is meant; empty: the only one that fits
  bool half = false;                  ///< store F16
  std::string source;                 ///< what the metadata calls the file; "": its name
  /// Told what is done ("reading conv1_1"), of how much (both counted in bytes of files); may be empty.
  std::function<void(const std::string& what, std::uint64_t done, std::uint64_t total)> progress;
};

struct ImportReport {
  std::string format;  ///< "a Keras HDF5 file with Keras's layer names"
  std::string
      prefix;  ///< which set of tensors, with the reason; "" when there was only one, without a prefix
  std::string network;
  std::string why_network;           ///< "the only one that fits"
  std::string convention;            ///< with the reason: "bgr x 255, ... (as all VGGs of Keras)"
  std::vector<std::string> ignored;  ///< tensors that were not used
  int folded_batch_norms = 0;
  std::vector<std::string> warnings;  ///< what looks odd but may be meant
  std::string output;
  /// As lines for a terminal.
  std::string text() const;
};

/// Reads, checks, converts and writes whole or not at all; never more than one layer is in memory. Throws
/// RunError: files that are no weights, missing or misshapen tensors (all of them, and what is there),
/// tensors that would make the features other ones, several sets or networks that fit, NaNs, a convention
/// that contradicts the network's or is not known; InvalidPipeline for an unknown network.
ImportReport import_weights(const ImportOptions& options, const NetworkPaths& paths);

}  // namespace gramflow
