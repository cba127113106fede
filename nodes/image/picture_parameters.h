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

/// Where an input file is that a node names under `key`, by the rule of framework/config/written_path.h; what
/// a reader would not expect is told as a warning. Throws MissingResource naming every place when it is in
/// none.
std::string find_input(LowerContext& context, std::string_view key, const std::string& path);

/// The size asked for, else that of `like` if there is one, times a factor. Reports a factor that makes a
/// picture too large, at its place.
WantedSize wanted_size(LowerContext& context, TensorId picture, const WantedSize& size, double factor);

/// Emits the operation that brings a picture to a size; gives `picture` back when it has that size already.
TensorId emit_resize(LowerContext& context, TensorId picture, const WantedSize& wanted, ResizeFilter filter);

}  // namespace gramflow
