#pragma once
// The child's side of weights_protocol.h: opens a file of weights and answers questions about it. The
// folder's readers run in the child only, because the libraries that they speak to (HDF5, libmatio, zlib)
// were not all written for hostile files.
#include <string_view>

#include "framework/base/child_side.h"

namespace gramflow {

/// From the request to Ask::end. Only std::bad_alloc and signals get out, and what the channel throws.
void serve_weights(std::string_view request, const Channel& channel);

/// What gramflow-weights.so gives, by way of its one symbol, `gramflow_weights`.
struct WeightsModule {
  decltype(&serve_weights) serve;
};

}  // namespace gramflow
