// What the cores can do, asked of Highway and measured.
#include <chrono>

#include "framework/ops/cpu/kernels.h"

namespace gramflow::cpu {

const char* instruction_set() { return "portable"; }

double measure_fma_peak_gflops(double seconds) {
  using Clock = std::chrono::steady_clock;
  float lanes[64] = {};
  const auto start = Clock::now();
  double operations = 0;
  double elapsed = 0;
  do {
    for (int repeat = 0; repeat < 10000; ++repeat)
      for (float& lane : lanes) lane = lane * 0.5f + 1.0f;
    operations += 10000.0 * 64 * 2;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  return lanes[0] > 0 ? operations / elapsed * 1e-9 : 0.0;
}

}  // namespace gramflow::cpu
