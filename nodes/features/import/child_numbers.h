#pragma once
// Numbers that a child process reads.
#include <functional>
#include <string>
#include <vector>

#include "nodes/features/import/isolated.h"
#include "nodes/features/import/tensor_source.h"

namespace gramflow {

/// What `read` gives for these tensors, called in a child whose memory may grow by three times the numbers
/// and `memory`. `crashed` is the message when it does not end well. Throws RunError, `shown` in front, for
/// tensors larger than any of a VGG's.
std::vector<std::vector<float>> numbers_from_child(const std::vector<SourceTensor>& wanted,
                                                   FunctionRef<std::vector<std::vector<float>>()> read,
                                                   std::uint64_t memory, const std::string& shown,
                                                   const std::string& crashed);

}  // namespace gramflow
