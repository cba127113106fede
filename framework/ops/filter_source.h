#pragma once
// The filter of a convolution as its file has it: shape and taps. How a device lays them out is the device's
// affair.
#include <functional>
#include <memory>
#include <string>

namespace gramflow {

/// What lies around the input of a convolution.
enum class Border { zero, reflect, replicate };

struct FilterShape {
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 3;   ///< odd; 1 or 3 in every VGG
  int padding = 1;  ///< on all four sides
  Border border = Border::zero;
};

/// One layer's filter, shared by every convolution of that layer.
class FilterSource {
 public:
  /// Taps for as long as `owner` lives: OIHW, and one bias an output channel.
  struct Taps {
    const float* weights = nullptr;
    const float* bias = nullptr;
    std::shared_ptr<const void> owner;
  };
  FilterSource(FilterShape shape, std::function<Taps()> read) : shape_(shape), read_(std::move(read)) {}

  const FilterShape& shape() const { return shape_; }
  /// Reads them, anew each time: who packs them keeps that. Throws RunError or MissingResource.
  Taps taps() const { return read_(); }

 private:
  FilterShape shape_;
  std::function<Taps()> read_;
};

}  // namespace gramflow
