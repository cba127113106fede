// Times every convolution of VGG-19 up to conv5_1, fused as a style transfer uses them, against the cores'
// multiply-add peak. convolution_bench [width height [threads [direct|winograd|automatic [repeats]]]] "ratio"
// is the time over what a direct convolution would take at the peak; below 1 is better than any direct one
// can be.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/large_memory.h"
#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

struct Layer {
  const char* name;
  int in, out, scale;  ///< the picture is divided by scale
  bool pooled;         ///< followed by max pooling
  int times;           ///< layers of this very shape
};

constexpr Layer layers[] = {
    {"conv1_1", 3, 64, 1, false, 1},     {"conv1_2", 64, 64, 1, true, 1},
    {"conv2_1", 64, 128, 2, false, 1},   {"conv2_2", 128, 128, 2, true, 1},
    {"conv3_1", 128, 256, 4, false, 1},  {"conv3_2", 256, 256, 4, false, 2},
    {"conv3_4", 256, 256, 4, true, 1},   {"conv4_1", 256, 512, 8, false, 1},
    {"conv4_2", 512, 512, 8, false, 2},  {"conv4_4", 512, 512, 8, true, 1},
    {"conv5_1", 512, 512, 16, false, 1},
};

/// Seconds of the wall's clock, or of the processors shared by `threads`.
struct Clock {
  bool processor;
  int threads;
  double now() const {
    std::timespec time{};
    clock_gettime(processor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    const double seconds = static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    return processor ? seconds / threads : seconds;
  }
};

template <class Work>
double best_seconds(Clock clock, int repeats, Work&& work) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const double start = clock.now();
    work();
    best = std::min(best, clock.now() - start);
  }
  return best;
}

struct Times {
  double forward, backward;
  std::size_t scratch;
};

Times time_layer(const Layer& layer, Shape input, cpu::ConvolutionMethod method, Clock clock, int repeats) {
  Random random(1);
  FilterData data(layer.in, layer.out, 3, random);
  const auto convolution = cpu::make_convolution(cpu::pack_filter(data.filter, method, true), input);
  cpu::LargeMemory scratch(convolution->scratch_bytes() / sizeof(float));
  const Shape output{input.height, input.width, layer.out};
  const std::size_t pixels = static_cast<std::size_t>(output.pixels());
  const std::size_t made = static_cast<std::size_t>(output.elements());
  const std::size_t read = static_cast<std::size_t>(input.elements());
  cpu::LargeMemory from(read), values(made), pooled(made / 4), result(read);
  for (std::size_t i = 0; i < read; ++i) from.data()[i] = static_cast<float>(i % 251) * 0.01f - 1.0f;
  std::fill_n(values.data(), made, 0.5f);
  std::fill_n(pooled.data(), made / 4, 0.5f);
  std::vector<std::uint8_t> mask(pixels * static_cast<std::size_t>(layer.out) / 8), index(made / 4);
  std::vector<std::uint8_t> below(static_cast<std::size_t>(input.pixels() * ((input.channels + 7) / 8)),
                                  0x5A);

  cpu::ConvolutionOutputs outputs;
  outputs.relu = true;
  cpu::ConvolutionGradient gradient;
  gradient.result = result.data();
  if (layer.pooled) {
    outputs.pooled = pooled.data();
    outputs.index = index.data();
    gradient.pooled_gradient = pooled.data();
    gradient.index = index.data();
  } else {
    outputs.output = values.data();
    outputs.mask = mask.data();
    gradient.gradient = values.data();
  }
  if (layer.in > 3 && layer.in == layer.out) gradient.mask = below.data();
  Times times{};
  times.scratch = convolution->scratch_bytes();
  times.forward =
      best_seconds(clock, repeats, [&] { convolution->forward(from.data(), outputs, scratch.data()); });
  times.backward = best_seconds(clock, repeats, [&] { convolution->backward(gradient, scratch.data()); });
  return times;
}

}  // namespace

int main(int count, char** arguments) {
  const std::int64_t width = count > 2 ? std::atoll(arguments[1]) : 900;
  const std::int64_t height = count > 2 ? std::atoll(arguments[2]) : 600;
  ThreadScope scope(count > 3 ? std::atoi(arguments[3]) : 0);
  const char* name = count > 4 ? arguments[4] : "automatic";
  const auto method = std::strcmp(name, "direct") == 0     ? cpu::ConvolutionMethod::direct
                      : std::strcmp(name, "winograd") == 0 ? cpu::ConvolutionMethod::winograd
                                                           : cpu::ConvolutionMethod::automatic;
  const int repeats = count > 5 ? std::atoi(arguments[5]) : 5;
  const Clock clock{count > 6 && std::strcmp(arguments[6], "cpu") == 0, scope.threads()};
  const double one = cpu::measure_fma_peak_gflops(0.3);
  const double peak = one * scope.threads();
  std::printf("%s, %d threads, peak %.0f GFLOP/s a thread, %lldx%lld, %s\n", cpu::instruction_set(),
              scope.threads(), one, static_cast<long long>(width), static_cast<long long>(height), name);
  double sum_forward = 0, sum_backward = 0, roof = 0;
  for (const Layer& layer : layers) {
    const Shape input{height / layer.scale, width / layer.scale, layer.in};
    Times times{};
    scope.execute([&] { times = time_layer(layer, input, method, clock, repeats); });
    const double gflop = 2.0 * 9e-9 * static_cast<double>(input.elements()) * layer.out;
    std::printf(
        "%s x%d  forward %8.2f ms %5.0f GFLOP/s ratio %.3f   backward %8.2f ms %5.0f GFLOP/s ratio %.3f   "
        "scratch %.1f MB\n",
        layer.name, layer.times, times.forward * 1e3, gflop / times.forward, times.forward * peak / gflop,
        times.backward * 1e3, gflop / times.backward, times.backward * peak / gflop,
        static_cast<double>(times.scratch) * 1e-6);
    std::fflush(stdout);
    sum_forward += layer.times * times.forward;
    sum_backward += layer.times * times.backward;
    roof += layer.times * gflop / peak;
  }
  std::printf("all: forward %.1f ms ratio %.3f, backward %.1f ms ratio %.3f, both %.1f ms ratio %.3f\n",
              sum_forward * 1e3, sum_forward / roof, sum_backward * 1e3, sum_backward / roof,
              (sum_forward + sum_backward) * 1e3, (sum_forward + sum_backward) / (2 * roof));
  return 0;
}
