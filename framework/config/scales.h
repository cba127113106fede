#pragma once
// `scales: {from: 128, factor: 2}` at a use of a subgraph: the use becomes a chain of uses, coarse to fine.
#include <functional>
#include <string>
#include <vector>

#include "framework/config/document.h"
#include "framework/config/subgraph.h"

namespace gramflow {

/// The key at a use; no input and no parameter of a subgraph can have its name.
inline constexpr const char* scales_key = "scales";

/// The uses that one use with `scales:` stands for, coarse to fine, without that key. The last is the use
/// itself, with its id; the others have ids of their own, "look/scale128". `local_name` is the use's name in
/// its level, by which each takes its start from the one before. Just the use when it has no scales, when
/// there is one only, or after a mistake, which is reported.
/// `replaced` gives a default of the subgraph with its variables put in.
std::vector<NodeEntry> uses_by_scale(NodeEntry use, const std::string& local_name, const Subgraph& subgraph,
                                     const std::function<ValuePtr(const ValuePtr&)>& replaced,
                                     Diagnostics& diagnostics);

/// Takes `scales:` out of a node that is no use of a subgraph, and says that it means nothing there.
void refuse_scales(NodeEntry& node, Diagnostics& diagnostics);

}  // namespace gramflow
