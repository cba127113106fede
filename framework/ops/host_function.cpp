#include "framework/ops/host_function.h"

namespace gramflow {

std::unique_ptr<Kernel> HostFunction::prepare(const Bindings& memory) const {
  return make_kernel([run = description_.run,
                      inputs = std::vector<TensorView>(memory.inputs.begin(), memory.inputs.end()),
                      outputs = std::vector<TensorView>(memory.outputs.begin(), memory.outputs.end()),
                      scratch = memory.scratch] {
    run(Bindings{inputs, outputs, scratch});
  });
}

}  // namespace gramflow
