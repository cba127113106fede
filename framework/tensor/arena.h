#pragma once
// The block of memory that a plan (arena_plan.h) divides.
#include <cstddef>

namespace gramflow {

/// One block of memory, pages on demand: until a page is written it costs nothing and reads as zeros. Large
/// ones start on a huge page and ask for such. Threads may use disjoint parts at once.
class Arena {
 public:
  Arena() = default;
  /// Throws RunError, naming how much was asked for and how much there is, when the system refuses.
  explicit Arena(std::size_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  /// nullptr in an arena without bytes.
  void* data(std::size_t offset) const {
    return base_ == nullptr ? nullptr : static_cast<std::byte*>(base_) + offset;
  }
  std::size_t size() const { return size_; }
  /// Fills everything with floats that are NaN, to find reads of what was never written.
  void poison();
  /// Gives the pages back to the system; the contents are zeros afterwards.
  void release_pages();

 private:
  void* base_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gramflow
