#pragma once
// Which of the instruction sets in the binary the kernels use. The best the machine has, unless a test asks
// for less.
#include <string_view>

namespace gramflow::cpu {

/// "portable", "SSE4", "AVX2" or "AVX-512": from now on nothing better than this is used, in the whole
/// process. Call it while no kernel runs and nothing is packed. Throws std::invalid_argument for another
/// name.
void limit_instructions(std::string_view name);

}  // namespace gramflow::cpu
