// A step must not allocate once the method is warm: this program's operator new counts.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/optim/functions.h"

namespace {
std::atomic<long> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace gramflow;
using namespace gramflow::testing;

TEST_CASE("A warm step allocates nothing") {
  AdamOptions adam;
  LbfgsOptions lbfgs;
  lbfgs.history = 3;
  for (int method = 0; method < 2; ++method) {
    CAPTURE(method);
    Run run(method == 0 ? make_adam(adam) : make_lbfgs(lbfgs), valley(20'000));
    run.step();
    run.step();
    const long before = allocations;
    for (int i = 0; i < 8; ++i) run.step();
    CHECK(allocations == before);
  }
}
