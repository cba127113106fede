#include "framework/compile/passes.h"
#include "framework/compile/plan.h"

namespace gramflow {

Plan compile(Program program) {
  differentiate(program);
  eliminate(program);
  fuse(program);
  rematerialise(program);
  schedule(program);
  return make_plan(std::move(program));
}

}  // namespace gramflow
