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

/// Where an input file is that a node names under `key`: an absolute path as it stands; a relative one beside
/// the file in which it is written (an included one, perhaps), or else beside the main pipeline, or else in
/// the current folder. Throws MissingResource naming every place when it is in none.
std::string find_input(const LowerContext& context, std::string_view key, const std::string& path);

/// Emits the operation that brings a picture to a size; gives `picture` back when it has that size already.
TensorId emit_resize(LowerContext& context, TensorId picture, const WantedSize& wanted, ResizeFilter filter);

}  // namespace gramflow
