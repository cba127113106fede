#pragma once
// Lines of a node that lost their indentation, and so look like nodes themselves:
//   result:
//   type: Optimizer
//   iterations: 50
#include <vector>

#include "framework/base/diagnostics.h"
#include "framework/config/value.h"

namespace gramflow {

/// How many entries behind nodes[owner] are such lines: the owner has no value, and they are no maps.
std::size_t lost_lines(const std::vector<Entry>& nodes, std::size_t owner);

/// Says so once, at the first of the lines. Returns the owner with a broken value, of which nothing else is
/// said.
Entry report_lost_lines(const Entry& owner, const Entry& first_line, Diagnostics& diagnostics);

}  // namespace gramflow
