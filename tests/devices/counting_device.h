#pragma once
// A second device, to prove the door by: plain loops over memory of its own, which nobody else can reach, and
// counts of all that goes through. What it supports is chosen by each test; the rest falls to the host.
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "framework/devices/devices.h"

namespace gramflow::test {

/// Of what it knows: Convolution, Relu, Pool, Gram, SquaredError, TotalVariation, each with its backward op.
struct Support {
  std::set<std::string> kinds;  ///< forward names; "Relu" means ReluBackward, too
  bool relu_in_convolution = true;
  bool pool_in_convolution = true;
  bool mask_in_backward = true;
  bool index_in_backward = true;
};
Support all_kinds();

struct Counts {
  std::int64_t uploads = 0, downloads = 0;
  double uploaded_bytes = 0, downloaded_bytes = 0;
  std::int64_t scalars = 0;
  std::map<std::string, std::int64_t> runs;  ///< by kind
  std::size_t allocated = 0, most_allocated = 0;
};

class CountingDevice final : public Device {
 public:
  explicit CountingDevice(Support support) : support_(std::move(support)) {}
  ~CountingDevice() override;

  std::string_view name() const override { return "counting"; }
  std::string description() const override { return "plain loops"; }
  double measure_peak_gflops(double) const override { return 1; }
  bool runs(const Op& op, std::span<const TensorDesc> inputs) const override;
  std::size_t scratch_bytes(const Op& op, std::span<const TensorDesc> inputs) const override;
  std::size_t heap_bytes(const Op&) const override { return 0; }
  std::size_t packed_bytes(const FilterUse& use) const override;
  std::unique_ptr<Buffer> allocate(std::size_t bytes) override;
  void forget(Buffer& buffer) override;
  void upload(const void* from, const DeviceView& to) override;
  void download(const DeviceView& from, void* to) override;
  void pack(std::span<const FilterUse> filters) override;
  std::unique_ptr<Kernel> prepare(const Op& op, const DeviceBindings& memory) override;
  void read_scalars(std::span<const DeviceView> scalars, std::span<double> to) override;

  Counts counts;  ///< to be read when nothing runs

 private:
  struct Taps;
  Support support_;
  std::mutex mutex_;  // of the counts: kernels and copies run in any thread
  std::map<const FilterSource*, std::shared_ptr<const Taps>> taps_;
};

/// With the CPU as host.
Devices counting_devices(const std::shared_ptr<CountingDevice>& device);

}  // namespace gramflow::test
