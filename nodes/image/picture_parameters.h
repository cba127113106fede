#pragma once
// Parameters that several picture nodes share: sizes, filters, paths.
#include <string>
#include <utility>
#include <vector>

#include "framework/graph/lower.h"
#include "framework/schema/parameters.h"
#include "nodes/image/resize.h"
#include "nodes/image/size_parameter.h"

namespace gramflow {

inline auto enum_names(ResizeFilter) {
  return std::vector<std::pair<std::string, ResizeFilter>>{{"nearest", ResizeFilter::nearest},
                                                           {"box", ResizeFilter::box},
                                                           {"triangle", ResizeFilter::triangle},
                                                           {"cubic", ResizeFilter::cubic},
                                                           {"lanczos3", ResizeFilter::lanczos3}};
}

/// Where an input file is: absolute as it stands; relative first to the pipeline's folder, then to the current one. A path
/// that is in neither comes back as the first, for the error message.
std::string find_input(const std::string& path, const std::string& directory);

/// Emits the operation that brings a picture to a size; gives `picture` back when it has that size already.
TensorId emit_resize(LowerContext& context, TensorId picture, const WantedSize& wanted, ResizeFilter filter);

}  // namespace gramflow
