#pragma once
// The weights of a network from the web, or from a file that somebody brought, into the user's cache.
#include <string>

#include "nodes/fetch/download.h"
#include "nodes/networks/network.h"

namespace gramflow {

struct GetOptions {
  std::string network;
  std::string from;    ///< an address or a file instead of the network's own addresses; its checksum must be
                       ///< one of theirs
  bool half = false;   ///< store F16
  bool again = false;  ///< even if they are installed
  std::function<void(const std::string& url, const DownloadProgress&)> progress;
  double pause_seconds = 0.5;  ///< between tries
};

/// Downloads (resuming), verifies the checksum, converts and installs; returns what it did, as lines for a
/// terminal. Only a verified and converted file gets the name that a run looks for; a download with the wrong
/// checksum is deleted. Throws MissingResource when the file cannot be had from anywhere, RunError for wrong
/// or damaged bytes, InvalidPipeline for an unknown network.
std::string get_weights(const GetOptions& options, const NetworkPaths& paths);

}  // namespace gramflow
