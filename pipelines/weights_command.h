#pragma once
// `gramflow weights ...`: what is installed, and bringing in what is not.
#include "nodes/features/network.h"

namespace CLI {
class App;
}

namespace gramflow {

void add_weights_command(CLI::App& app, const NetworkPaths& paths, int& result);

}  // namespace gramflow
