#include "tests/support/run_op.h"

#include <memory>
#include <vector>

#include "framework/devices/cpu/cpu_device.h"

namespace gramflow::test {

std::size_t scratch_bytes(const Op& op, std::span<const TensorDesc> inputs) {
  return make_cpu_device()->scratch_bytes(op, inputs);
}

void run_op(const Op& op, std::span<const TensorView> inputs, std::span<const TensorView> outputs,
            void* scratch, std::size_t scratch_bytes) {
  const std::shared_ptr<Device> cpu = make_cpu_device();
  std::vector<std::unique_ptr<Buffer>> buffers;
  const auto borrow = [&](void* memory, const TensorDesc& desc) -> DeviceView {
    if (memory == nullptr) return {};
    buffers.push_back(cpu->borrow(memory, desc.bytes()));
    return {buffers.back().get(), 0, desc};
  };
  std::vector<DeviceView> from, to;
  for (const TensorView& view : inputs) from.push_back(borrow(view.data, view.desc));
  for (const TensorView& view : outputs) to.push_back(borrow(view.data, view.desc));
  const TensorDesc bytes{{1, 1, static_cast<std::int64_t>(scratch_bytes)}, ElementType::u8};
  cpu->prepare(op, {from, to, borrow(scratch_bytes == 0 ? nullptr : scratch, bytes)})->run();
}

}  // namespace gramflow::test
