#pragma once
// gramflow weights list|info|import|get: weights that arrive, check out, and say what they are.
#include "nodes/networks/network.h"

namespace CLI {
class App;
}

namespace gramflow {

/// Adds `weights` with its commands to `app`; a command leaves its exit code in `result`. `paths` must live
/// as long as `app`.
void add_weights_command(CLI::App& app, const NetworkPaths& paths, int& result);

}  // namespace gramflow
