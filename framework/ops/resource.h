#pragma once
// Things that operations share and that are made ready before the first run: the packed filters of a network.
#include <cstddef>

namespace gramflow {

class Resource {
 public:
  virtual ~Resource() = default;
  /// Memory it will hold once acquired, known from shapes alone.
  virtual std::size_t bytes() const = 0;
  /// Reads and packs what is missing; nothing to do the second time. Throws RunError or MissingResource. One
  /// thread.
  virtual void acquire() = 0;
};

}  // namespace gramflow
