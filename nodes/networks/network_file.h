#pragma once
// The YAML of a network, decoded.
#include <memory>
#include <string>

#include "nodes/networks/network.h"

namespace gramflow {

/// nullptr after reporting every mistake in the file at its own place.
std::shared_ptr<const Network> read_network_file(const std::string& path, Diagnostics& diagnostics);

}  // namespace gramflow
