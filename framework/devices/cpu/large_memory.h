#pragma once
// Floats that live long and are read all through every iteration, such as packed weights. The system is asked
// for large pages: their addresses are translated far less often, which is worth some percent of a
// convolution.
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace gramflow::cpu {

class LargeMemory {
 public:
  LargeMemory() = default;
  /// Not initialised.
  explicit LargeMemory(std::size_t floats) {
    constexpr std::size_t page = std::size_t{2} << 20;
    const std::size_t bytes = (floats * sizeof(float) + 63) / 64 * 64;
    const bool large = bytes >= page;
    memory_.reset(static_cast<float*>(large ? std::aligned_alloc(page, (bytes + page - 1) / page * page)
                                            : std::aligned_alloc(64, bytes)));
    if (!memory_) throw std::bad_alloc();
    if (large) ::madvise(memory_.get(), bytes / page * page, MADV_HUGEPAGE);  // a wish: it may fail
  }
  bool empty() const { return !memory_; }
  float* data() { return memory_.get(); }
  const float* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  std::unique_ptr<float, Free> memory_;
};

}  // namespace gramflow::cpu
