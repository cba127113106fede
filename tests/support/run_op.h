#pragma once
// One op, run by the CPU on memory of the test's.
#include <span>

#include "framework/ops/op.h"

namespace gramflow::test {

std::size_t scratch_bytes(const Op& op, std::span<const TensorDesc> inputs);
/// Absent inputs and outputs are default views. `scratch`: as many bytes as scratch_bytes() says.
void run_op(const Op& op, std::span<const TensorView> inputs, std::span<const TensorView> outputs,
            void* scratch, std::size_t scratch_bytes);

}  // namespace gramflow::test
