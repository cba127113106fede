#pragma once
// What a plan is made for.
#include <memory>

#include "framework/devices/device.h"
#include "framework/ops/program.h"

namespace gramflow {

/// The device that was chosen, and the host, which runs what that one cannot. On the CPU both are the same.
struct Devices {
  std::shared_ptr<Device> main;
  std::shared_ptr<Device> host;  ///< its memory is the host's (host_view), and it runs everything
  /// Whether tensors have to be carried between the two.
  bool apart() const { return main != host; }
  Device& at(Place place) const { return place == Place::device ? *main : *host; }
};

}  // namespace gramflow
