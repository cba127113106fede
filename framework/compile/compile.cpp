#include "framework/compile/compile.h"

#include <stdexcept>

#include "framework/compile/passes.h"
#include "framework/compile/plan.h"
#include "framework/compile/verify.h"

namespace gramflow {

Plan compile(Program program, const Devices& devices) {
  differentiate(program);
  eliminate(program);
  place(program, devices);
  fuse(program, devices);
  rematerialise(program);
  if (devices.apart()) insert_transfers(program);
  schedule(program);
  Plan plan = make_plan(std::move(program), devices);
#ifndef NDEBUG
  for (const std::string& problem : verify(plan))
    throw std::logic_error("the plan is not proven: " + problem);
#endif
  return plan;
}

}  // namespace gramflow
