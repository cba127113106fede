#pragma once
// The part of a pipeline that made one picture, as it was made: cut off at the stage and the iterations that were
// done, so that running it gives this picture, be it a preview or what a stopped run had.
#include "framework/config/value.h"
#include "framework/graph/lower.h"
#include "framework/graph/node_type.h"

namespace gramflow {

/// `root`: a canonical pipeline. Leaves are those of the root, so that who knows their addresses still does. The Save's
/// path has the picture's numbers.
ValuePtr picture_pipeline(const Value& root, const NodeTypes& types, const MadePicture& picture);

}  // namespace gramflow
