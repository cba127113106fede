// Times the Gram matrices, content losses and total variation of a style transfer with VGG-19's widths.
// sums_bench [width height [threads [repeats]]]: the best of some repeats, in processor time over threads, so
// that it says something on a busy machine, too.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/large_memory.h"
#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

double processor_seconds() {
  std::timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Work>
double best_milliseconds(int threads, int repeats, Work&& work) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const double start = processor_seconds();
    work();
    best = std::min(best, processor_seconds() - start);
  }
  return 1e3 * best / threads;
}

struct Floats {
  explicit Floats(Shape s) : memory(static_cast<std::size_t>(s.elements())), shape(s) {
    for (std::int64_t i = 0; i < s.elements(); ++i)
      memory.data()[i] = static_cast<float>(i % 251) * 0.01f - 0.5f;
  }
  TensorView view() { return {memory.data(), {shape, ElementType::f32}}; }
  cpu::LargeMemory memory;
  Shape shape;
};

cpu::LargeMemory scratch_of(std::size_t bytes) { return cpu::LargeMemory(bytes / sizeof(float) + 16); }

void time_layer(const char* name, Shape shape, int threads, int repeats) {
  Floats features(shape), other(shape), gram({shape.channels, shape.channels, 1});
  auto scratch = scratch_of(std::max(cpu::gram_scratch(shape), cpu::squared_error_scratch(shape)));
  auto backward = scratch_of(cpu::gram_backward_scratch(shape));
  const double forward =
      best_milliseconds(threads, repeats, [&] { cpu::gram(features.view(), gram.view(), scratch.data()); });
  const double written = best_milliseconds(threads, repeats, [&] {
    cpu::gram_backward(features.view(), gram.view(), other.view(), false, backward.data());
  });
  const double added = best_milliseconds(threads, repeats, [&] {
    cpu::gram_backward(features.view(), gram.view(), other.view(), true, backward.data());
  });
  const double in_place = best_milliseconds(threads, repeats, [&] {
    cpu::gram_backward(other.view(), gram.view(), other.view(), false, backward.data());
  });
  const double error = best_milliseconds(
      threads, repeats, [&] { cpu::squared_error(features.view(), other.view(), 1, scratch.data()); });
  std::printf(
      "%-8s %-14s gram %8.3f  back %8.3f  added %8.3f  in place %8.3f  error %8.3f ms  scratch %6.2f + %5.2f "
      "MB\n",
      name, shape.to_string().c_str(), forward, written, added, in_place, error,
      1e-6 * static_cast<double>(cpu::gram_scratch(shape)),
      1e-6 * static_cast<double>(cpu::gram_backward_scratch(shape)));
}

}  // namespace

int main(int count, char** arguments) {
  const std::int64_t width = count > 2 ? std::atoll(arguments[1]) : 900;
  const std::int64_t height = count > 2 ? std::atoll(arguments[2]) : 600;
  ThreadScope scope(count > 3 ? std::atoi(arguments[3]) : 1);
  const int repeats = count > 4 ? std::atoi(arguments[4]) : 7;
  std::printf("%s, %d threads, %lldx%lld\n", cpu::instruction_set(), scope.threads(),
              static_cast<long long>(width), static_cast<long long>(height));
  scope.execute([&] {
    const struct {
      const char* name;
      std::int64_t scale, channels;
    } layers[] = {{"relu1_1", 1, 64},
                  {"relu2_1", 2, 128},
                  {"relu3_1", 4, 256},
                  {"relu4_1", 8, 512},
                  {"conv5_1", 16, 512}};
    for (const auto& layer : layers)
      time_layer(layer.name, {height / layer.scale, width / layer.scale, layer.channels}, scope.threads(),
                 repeats);
    Floats picture({height, width, 3});
    auto scratch = scratch_of(cpu::total_variation_scratch(picture.shape));
    std::printf("total variation %.3f ms\n", best_milliseconds(scope.threads(), repeats, [&] {
                  cpu::total_variation(picture.view(), 1, scratch.data());
                }));
    Floats gram({512, 512, 1}), target({512, 512, 1});
    auto little = scratch_of(cpu::squared_error_scratch(gram.shape));
    std::printf("error of a Gram matrix of 512 channels %.3f ms\n",
                best_milliseconds(scope.threads(), repeats,
                                  [&] { cpu::squared_error(gram.view(), target.view(), 1, little.data()); }));
  });
  return 0;
}
