#pragma once
// Memory of the host for the externals of a plan, for drivers that do not bring their own.
#include <vector>

#include "framework/compile/plan.h"
#include "framework/tensor/arena.h"

namespace gramflow {

class ExternalMemory {
 public:
  /// Pages cost nothing until they are written. Throws RunError when the system refuses.
  explicit ExternalMemory(const Plan& plan);
  /// By external of the plan; stays where it is.
  const std::vector<void*>& pointers() const { return pointers_; }
  /// Gives the pages back of what no section from `section` on needs.
  void release_before(int section);

 private:
  struct Block {
    Arena memory;
    int last = 0;
    bool released = false;
  };
  std::vector<Block> blocks_;
  std::vector<void*> pointers_;
};

}  // namespace gramflow
