#pragma once
// The door to whatever computes. A Program says what is to be computed; a Device says what of that it can do,
// what memory it takes, and does it. Nothing outside of framework/devices/NAME knows more of a device than
// what stands here. docs/devices.md goes through the contract in the order in which one would write a device.
//
// Order of calls: questions (runs, scratch_bytes, heap_bytes, packed_bytes) while a plan is made, from shapes
// alone and from any thread; then, for each prepared plan and from one thread, allocate, pack and prepare; then
// kernels and copies, kernels from any thread, one call of a kernel at a time. What is run later sees what was
// run before: a device that works through a queue keeps the order of calls, and copies to the host wait.
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "framework/ops/op.h"

namespace gramflow {

class FilterSource;

/// A block of a device's memory. Where it is, only its device knows.
class Buffer {
 public:
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::size_t bytes() const { return bytes_; }

 protected:
  explicit Buffer(std::size_t bytes) : bytes_(bytes) {}

 private:
  std::size_t bytes_;
};

/// What stands for a tensor: a place in a buffer and what lies there. Borrowed; a default one is "not there".
/// Places are multiples of 64 bytes.
struct DeviceView {
  Buffer* buffer = nullptr;
  std::size_t offset = 0;  ///< bytes
  TensorDesc desc;
  explicit operator bool() const { return buffer != nullptr; }
};

/// The memory of one operation; absent inputs and outputs are default views. Scratch: `scratch_bytes` of bytes.
struct DeviceBindings {
  std::span<const DeviceView> inputs;
  std::span<const DeviceView> outputs;
  DeviceView scratch;
};

/// A filter of a program, and whether data gradients go through it, too.
struct FilterUse {
  std::shared_ptr<const FilterSource> filter;
  bool backward = false;
};

class Device {
 public:
  virtual ~Device() = default;

  // --- What it is.
  virtual std::string_view name() const = 0;  ///< "cpu"
  /// For people: "AVX2", the name of a card. Devices of different descriptions may give different bits.
  virtual std::string description() const = 0;
  /// Fused multiply-adds count as two; measured on the spot for about `seconds`, of one worker.
  virtual double measure_peak_gflops(double seconds) const = 0;

  // --- What it can do.
  /// Whether it can run an operation of these inputs (absent ones as absent_tensor), with all outputs that the
  /// op infers. Fusion asks by showing the fused operation: Convolution[relu, max pool], or a
  /// ConvolutionBackward with index and mask.
  virtual bool runs(const Op& op, std::span<const TensorDesc> inputs) const = 0;
  /// Memory that run() needs beside inputs and outputs, for as many workers as the calling thread's arena has.
  virtual std::size_t scratch_bytes(const Op& op, std::span<const TensorDesc> inputs) const = 0;
  /// Heap memory of the host that libraries take during run(), outside of the plan.
  virtual std::size_t heap_bytes(const Op& op) const = 0;
  /// Memory of a filter in this device's layout.
  virtual std::size_t packed_bytes(const FilterUse& use) const = 0;

  // --- Memory.
  /// Throws RunError, naming how much was asked for, when there is not enough. A device outlives its buffers.
  virtual std::unique_ptr<Buffer> allocate(std::size_t bytes) = 0;
  /// A buffer over memory of the host that somebody else owns, aligned to 64; nullptr from devices that cannot
  /// reach the host's memory.
  virtual std::unique_ptr<Buffer> borrow(void* /*memory*/, std::size_t /*bytes*/) { return nullptr; }
  /// The contents are not needed any more: a device may take the memory back until it is written again.
  virtual void forget(Buffer& buffer) = 0;
  /// Copies of view.desc.bytes() bytes between the host and a view; done when they return.
  virtual void upload(const void* from, const DeviceView& to) = 0;
  virtual void download(const DeviceView& from, void* to) = 0;
  /// Of devices whose memory is the host's: the memory itself, no copy. Others: nothing.
  virtual TensorView host_view(const DeviceView&) const { return {}; }

  // --- Running.
  /// Reads and packs what is not packed yet, to be kept for later plans. Throws RunError, MissingResource.
  virtual void pack(std::span<const FilterUse> filters) = 0;
  /// An op bound to memory, its filter packed. Only of what it runs().
  virtual std::unique_ptr<Kernel> prepare(const Op& op, const DeviceBindings& memory) = 0;
  /// Scalars (f64) that kernels have made, read together.
  virtual void read_scalars(std::span<const DeviceView> scalars, std::span<double> to) = 0;
};

}  // namespace gramflow
