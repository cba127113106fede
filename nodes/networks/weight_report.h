#pragma once
// What weights are installed, and what a file of them holds: the text behind `gramflow weights list` and
// `info`.
#include <string>

#include "nodes/networks/network.h"

namespace gramflow {

/// Every network that can be named with its weights: where they were found, or how to get them; then other
/// weights files in the same folders.
std::string weights_list_text(const NetworkPaths& paths);

/// `what` is a weights file, or a network (a name or a .yaml) whose weights are meant. Reads the whole file:
/// tensors, shapes, convention, checksum, statistics. Throws RunError, MissingResource, InvalidPipeline (an
/// unknown name).
std::string weights_info_text(const std::string& what, const NetworkPaths& paths);

}  // namespace gramflow
