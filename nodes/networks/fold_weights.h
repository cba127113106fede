#pragma once
// What a network's YAML asks of weights that were made for other habits, put into the numbers when they are
// read.
#include "nodes/networks/weights.h"

namespace gramflow {

/// Changes weights as they stand in the file to those that the network computes with: the layer's `gain` and
/// `gain_before`, and `input_change` where it has one.
void fold_weights(const NetworkLayer& layer, ConvolutionWeights& numbers);

}  // namespace gramflow
