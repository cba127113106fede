#pragma once
// Content and style losses that subtract tensors: how the difference of one layer becomes a loss.
#include "framework/ops/layer_error.h"
#include "nodes/loss/layer_pairs.h"

namespace gramflow {

inline auto enum_names(ErrorNormalization) {
  return std::vector<std::pair<std::string, ErrorNormalization>>{{"none", ErrorNormalization::none},
                                                                 {"scaled", ErrorNormalization::scaled}};
}

struct DifferenceParameters {
  ErrorNormalization normalize = ErrorNormalization::none;
  bool relative = false;
};

inline constexpr const char* normalize_doc =
    "none: mean of squares; scaled: sum of squares over sum of magnitudes, whose gradient keeps its strength "
    "while the difference shrinks";

/// Emits the loss of one layer against `target`. With `relative`, `target` must not depend on the canvas.
void add_difference(LowerContext& context, const LayerPair& pair, TensorId target,
                    const DifferenceParameters& parameters, RelativeUnit::Of unit);

}  // namespace gramflow
