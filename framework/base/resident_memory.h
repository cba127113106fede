#pragma once
// What the process has in memory.
#include <cstdint>

namespace gramflow {

/// The most that was ever resident, in bytes.
std::uint64_t peak_resident_bytes();
/// Resident now, in bytes; 0 where the system does not tell.
std::uint64_t resident_bytes();

}  // namespace gramflow
