#pragma once
// The CPU as a Device: its memory is the host's, every op runs on it.
#include <memory>

#include "framework/devices/cpu/convolution_method.h"
#include "framework/devices/devices.h"

namespace gramflow {

std::shared_ptr<Device> make_cpu_device(ConvolutionMethod method = ConvolutionMethod::automatic);

/// A CPU for all.
inline Devices cpu_devices(ConvolutionMethod method = ConvolutionMethod::automatic) {
  const std::shared_ptr<Device> cpu = make_cpu_device(method);
  return {cpu, cpu};
}

}  // namespace gramflow
