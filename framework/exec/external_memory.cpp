#include "framework/exec/external_memory.h"

namespace gramflow {

ExternalMemory::ExternalMemory(const Plan& plan) {
  for (const Plan::External& external : plan.externals) {
    blocks_.push_back({Arena(external.bytes), external.last});
    pointers_.push_back(blocks_.back().memory.data(0));
  }
}

void ExternalMemory::release_before(int section) {
  for (Block& block : blocks_) {
    if (block.released || block.last >= section) continue;
    block.memory.release_pages();
    block.released = true;
  }
}

}  // namespace gramflow
