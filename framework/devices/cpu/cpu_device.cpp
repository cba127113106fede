#include "framework/devices/cpu/cpu_device.h"

#include <cstring>
#include <stdexcept>
#include <vector>

#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/packed_filters.h"
#include "framework/devices/cpu/realise/realisations.h"
#include "framework/tensor/arena.h"

namespace gramflow {
namespace cpu {
namespace {

class HostBuffer final : public Buffer {
 public:
  explicit HostBuffer(std::size_t bytes) : Buffer(bytes), memory_(bytes), base_(memory_.data(0)) {}
  HostBuffer(void* borrowed, std::size_t bytes) : Buffer(bytes), base_(borrowed) {}
  void* at(std::size_t offset) const {
    return base_ == nullptr ? nullptr : static_cast<std::byte*>(base_) + offset;
  }
  void release_pages() { memory_.release_pages(); }

 private:
  Arena memory_;  // empty when it is somebody else's
  void* base_;
};

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(ConvolutionMethod method) : filters_(method) {
    add_convolutions(realisations_, filters_);
    add_layers(realisations_);
    add_features(realisations_);
    add_errors(realisations_);
    add_distributions(realisations_);
    add_pictures(realisations_);
  }

  std::string_view name() const override { return "cpu"; }
  std::string description() const override { return instruction_set(); }
  double measure_peak_gflops(double seconds) const override { return measure_fma_peak_gflops(seconds); }

  bool runs(const Op& op, Inputs) const override { return realisations_.find(op) != nullptr; }
  std::size_t scratch_bytes(const Op& op, Inputs inputs) const override {
    const Realisation& realisation = realisation_of(op);
    return realisation.scratch ? realisation.scratch(op, inputs) : 0;
  }
  std::size_t heap_bytes(const Op& op) const override {
    const Realisation& realisation = realisation_of(op);
    return realisation.heap ? realisation.heap(op) : 0;
  }
  std::size_t packed_bytes(const FilterUse& use) const override { return filters_.bytes(use); }

  std::unique_ptr<Buffer> allocate(std::size_t bytes) override { return std::make_unique<HostBuffer>(bytes); }
  std::unique_ptr<Buffer> borrow(void* memory, std::size_t bytes) override {
    return std::make_unique<HostBuffer>(memory, bytes);
  }
  void forget(Buffer& buffer) override { static_cast<HostBuffer&>(buffer).release_pages(); }
  void upload(const void* from, const DeviceView& to) override {
    std::memcpy(memory_of(to), from, to.desc.bytes());
  }
  void download(const DeviceView& from, void* to) override {
    std::memcpy(to, memory_of(from), from.desc.bytes());
  }
  TensorView host_view(const DeviceView& view) const override { return {memory_of(view), view.desc}; }

  void pack(std::span<const FilterUse> filters) override {
    for (const FilterUse& use : filters) filters_.acquire(use);
  }
  std::unique_ptr<Kernel> prepare(const Op& op, const DeviceBindings& memory) override {
    std::vector<TensorView> inputs, outputs;
    for (const DeviceView& view : memory.inputs) inputs.push_back(host_view(view));
    for (const DeviceView& view : memory.outputs) outputs.push_back(host_view(view));
    return realisation_of(op).prepare(op, {inputs, outputs, memory_of(memory.scratch)});
  }
  void read_scalars(std::span<const DeviceView> scalars, std::span<double> to) override {
    for (std::size_t i = 0; i < scalars.size(); ++i)
      to[i] = *static_cast<const double*>(memory_of(scalars[i]));
  }

 private:
  static void* memory_of(const DeviceView& view) {
    return view.buffer == nullptr ? nullptr : static_cast<HostBuffer*>(view.buffer)->at(view.offset);
  }
  const Realisation& realisation_of(const Op& op) const {
    const Realisation* realisation = realisations_.find(op);
    if (realisation == nullptr) throw std::logic_error("the CPU does not run " + std::string(op.kind()));
    return *realisation;
  }

  PackedFilters filters_;
  Realisations realisations_;
};

}  // namespace
}  // namespace cpu

std::shared_ptr<Device> make_cpu_device(ConvolutionMethod method) {
  return std::make_shared<cpu::CpuDevice>(method);
}

}  // namespace gramflow
