#pragma once
// Which operations of a section something needs.
#include <functional>
#include <vector>

#include "framework/ops/program.h"

namespace gramflow {

/// The operations of one section that `chosen` names or that make what these, or `later`, read; in order.
/// Only those with an effect are asked about. `later`: tensors (by id) that somebody reads after the section;
/// empty for none.
std::vector<int> needed_operations(const Program& program, int section,
                                   const std::function<bool(const Operation&)>& chosen,
                                   std::vector<bool> later = {});

/// By tensor: read in a later section than `section`, or the start of a loop that comes after it.
std::vector<bool> read_after(const Program& program, int section);

}  // namespace gramflow
