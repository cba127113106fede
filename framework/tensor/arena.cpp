#include "framework/tensor/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "framework/base/error.h"
#include "framework/base/text.h"

namespace gramflow {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

[[noreturn]] void refuse(std::size_t bytes, int problem) {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  std::string there = "how much memory this machine has is unknown";
  if (pages > 0 && page_bytes > 0)
    there = "this machine has " +
            human_bytes(static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes));
  throw RunError("the run needs " + human_bytes(bytes) +
                 " of memory for its tensors and the system refused (" + std::strerror(problem) + "); " +
                 there + ". A smaller 'size' needs less");
}

void* map(std::size_t bytes) {
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

/// Cuts what lies before the first huge page and behind the last byte off again.
void* map_on_huge_page(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() - 2 * huge_page) return nullptr;
  auto* start = static_cast<std::byte*>(map(bytes + huge_page));
  if (start == nullptr) return nullptr;
  const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(start) % huge_page) % huge_page;
  if (before > 0) munmap(start, before);
  munmap(start + before + bytes, huge_page - before);
  madvise(start + before, bytes, MADV_HUGEPAGE);  // a wish: the system may not know huge pages
  return start + before;
}

std::size_t whole_pages(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

}  // namespace

Arena::Arena(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) refuse(bytes, ENOMEM);
  errno = 0;
  base_ = bytes >= 2 * huge_page ? map_on_huge_page(whole_pages(bytes)) : map(whole_pages(bytes));
  if (base_ == nullptr) refuse(bytes, errno == 0 ? ENOMEM : errno);
}

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, whole_pages(size_));
}

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  return *this;
}

void Arena::poison() {
  auto* floats = static_cast<float*>(base_);
  std::fill(floats, floats + size_ / sizeof(float), std::numeric_limits<float>::quiet_NaN());
}

void Arena::release_pages() {
  if (base_ != nullptr) madvise(base_, whole_pages(size_), MADV_DONTNEED);
}

}  // namespace gramflow
