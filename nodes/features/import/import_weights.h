#pragma once
// From somebody's file to a weights file that says what it is.
#include <string>
#include <vector>

#include "nodes/features/network.h"

namespace gramflow {

struct ImportOptions {
  std::string file;
  std::string output;
  std::string network;  ///< a name or a path to a .yaml; "": recognised by the shapes
  std::string
      convention;  ///< "torchvision", "caffe", "network" (whatever the network says); "": by the kind of file
  bool half = false;   ///< store F16
  std::string source;  ///< what the metadata calls the file; "": its name
};

struct ImportReport {
  std::string format;  ///< "a Keras HDF5 file with Keras's layer names"
  std::string network;
  std::string convention;            ///< with the reason: "bgr x 255, ... (as all Keras VGGs)"
  std::vector<std::string> ignored;  ///< tensors that were not used
  int folded_batch_norms = 0;
  std::vector<std::string> warnings;  ///< what looks odd but may be meant
  std::string output;
  /// As lines for a terminal.
  std::string text() const;
};

/// Reads, checks, converts and writes whole or not at all. Throws RunError: files that are no weights,
/// missing or misshapen tensors (all of them, and what is there), NaNs, a convention that contradicts the
/// network's; InvalidPipeline for an unknown network.
ImportReport import_weights(const ImportOptions& options, const NetworkPaths& paths);

}  // namespace gramflow
