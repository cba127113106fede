// What the cores can do, asked of Highway and measured: independent chains of multiply-adds in registers,
// enough of them to hide the latency of any core, for the time asked.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/machine.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "framework/devices/cpu/instructions.h"
#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

/// Runs `rounds` of multiply-adds; returns how many floating-point operations that were. `sink` keeps them
/// from being removed.
double MultiplyAdds(int rounds, float* sink) {
  constexpr int chains = 12;
  const Floats d;
  const FloatVector scale = hn::Set(d, 0.999f);
  const FloatVector shift = hn::Set(d, *sink);
  FloatVector sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = hn::Set(d, static_cast<float>(i));
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = hn::MulAdd(sums[i], scale, shift);
  }
  for (int i = 1; i < chains; ++i) sums[0] = hn::Add(sums[0], sums[i]);
  *sink = hn::GetLane(sums[0]) * 1e-9f;
  return 2.0 * static_cast<double>(hn::Lanes(d)) * chains * rounds;
}

std::int64_t Target() { return HWY_TARGET; }

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(MultiplyAdds);
HWY_EXPORT(Target);

const char* instruction_set() {
  switch (HWY_DYNAMIC_DISPATCH(Target)()) {
    case HWY_AVX3:
      return "AVX-512";
    case HWY_AVX2:
      return "AVX2";
    case HWY_SSE4:
      return "SSE4";
    default:
      return "portable";
  }
}

void limit_instructions(std::string_view name) {
  std::int64_t allowed = HWY_SCALAR;
  if (name == "SSE4" || name == "AVX2" || name == "AVX-512") allowed |= HWY_SSE4;
  if (name == "AVX2" || name == "AVX-512") allowed |= HWY_AVX2;
  if (name == "AVX-512") allowed |= HWY_AVX3;
  if (allowed == HWY_SCALAR && name != "portable")
    throw std::invalid_argument("unknown instruction set \"" + std::string(name) +
                                "\"; there are portable, SSE4, AVX2 and AVX-512");
  hwy::DisableTargets(~allowed);
}

double measure_fma_peak_gflops(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  float sink = 1e-3f;
  double best = 0;
  const auto start = Clock::now();
  do {  // short bursts, the best of them: other programs disturb some
    const auto burst = Clock::now();
    const double operations = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(20000, &sink);
    const double rate = operations / since(burst) * 1e-9;
    if (rate > best) best = rate;
  } while (since(start) < seconds);
  return best;
}

}  // namespace gramflow::cpu
#endif
