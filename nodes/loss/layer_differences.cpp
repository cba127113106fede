#include "nodes/loss/layer_differences.h"

#include "framework/ops/squared_error.h"

namespace gramflow {

void add_difference(LowerContext& context, const LayerPair& pair, TensorId target,
                    const DifferenceParameters& parameters, RelativeUnit::Of unit) {
  const double factor = pair.value.factor;
  std::vector<TensorId> inputs = {pair.value.tensor, target};
  OpPtr op;
  if (parameters.normalize == ErrorNormalization::none && !parameters.relative) {
    op = std::make_shared<SquaredError>(pair.weight * factor * factor);
  } else {
    inputs.push_back(
        parameters.relative
            ? context.emit(std::make_shared<RelativeUnit>(unit, factor), {target}, pair.layer + " unit")
                  .front()
            : no_tensor);
    op = std::make_shared<LayerError>(parameters.normalize, pair.weight, factor);
  }
  context.add_loss(context.emit(std::move(op), std::move(inputs), pair.layer).front(), pair.layer);
}

}  // namespace gramflow
