#pragma once
// One convolution's numbers as a network wants them, whatever a framework split them into.
#include "nodes/import/tensor_naming.h"
#include "nodes/networks/weights.h"

namespace gramflow {

/// Reads the parts of a layer that matched and folds what belongs into the kernel: layout, weight norm,
/// pruning, batch norm. Throws RunError, `file` in front, for numbers that are not finite and norms that
/// cannot be folded.
ConvolutionWeights read_layer(const std::string& file, const TensorSource& source,
                              const LayerTensors& tensors);

/// Makes the first convolution take what the network gives instead of what its weights were made for; see
/// exact_change(), whose conditions must hold.
void change_input(ConvolutionWeights& numbers, const NetworkLayer& layer, const InputConvention& from,
                  const InputConvention& to);

}  // namespace gramflow
