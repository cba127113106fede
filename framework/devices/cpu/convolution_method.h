#pragma once
// How the CPU computes convolutions.

namespace gramflow {

/// `automatic` picks by shape; the others are for comparisons.
enum class ConvolutionMethod { automatic, winograd, direct };

}  // namespace gramflow
