// A step must not allocate once the method is warm: this program's operator new counts.
#include <doctest/doctest.h>

#include "tests/optim/functions.h"
#include "tests/support/count_allocations.h"

using namespace gramflow;
using namespace gramflow::test;

TEST_CASE("A warm step allocates nothing") {
  AdamOptions adam;
  LbfgsOptions lbfgs;
  lbfgs.history = 3;
  for (int method = 0; method < 2; ++method) {
    CAPTURE(method);
    Run run(method == 0 ? make_adam(adam) : make_lbfgs(lbfgs), valley(20'000));
    run.step();
    run.step();
    const long before = allocations();
    for (int i = 0; i < 8; ++i) run.step();
    CHECK(allocations() == before);
  }
}
