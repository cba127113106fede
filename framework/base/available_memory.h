#pragma once
// How much memory this process can still get, whoever sets the limit.
#include <cstdint>
#include <string>

namespace gramflow {

struct AvailableMemory {
  std::uint64_t bytes = 0;
  bool address_space = false;  ///< of addresses, not of memory: stacks and libraries count, too
  std::string limit;  ///< what sets it: "free on this machine", "left in the cgroup", "left by 'ulimit -v'"
};

/// The smallest of: what the machine has free (swap included), what is left in each cgroup around this process
/// (caches that can be dropped count as free), and what RLIMIT_AS leaves. Unknown ones do not count; when none is known,
/// the largest number.
AvailableMemory available_memory();

}  // namespace gramflow
