#pragma once
// How large the caches of this machine are, for choosing the size of blocks. No result depends on it.
#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace gramflow::cpu {

struct CacheSizes {
  std::size_t second_level;  ///< bytes, of one core
  std::size_t third_level;   ///< bytes, shared; at most 32 MiB: virtual machines tell of more than they get
};

/// What the system tells, or what is usual where it does not (some virtual machines).
inline CacheSizes cache_sizes() {
  const auto asked = [](int name, std::size_t usual) {
    const long bytes = ::sysconf(name);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : usual;
  };
  constexpr std::size_t most = std::size_t{32} << 20;
  return {asked(_SC_LEVEL2_CACHE_SIZE, std::size_t{1} << 20),
          std::min(asked(_SC_LEVEL3_CACHE_SIZE, most), most)};
}

}  // namespace gramflow::cpu
