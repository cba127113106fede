#include <doctest/doctest.h>

#include <functional>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/vectors.h"
#include "tests/kernels/convolution_case.h"
#include "tests/support/count_allocations.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// Allocations of the second of two calls.
long allocations_of(const std::function<void()>& work) {
  work();
  const long before = allocations();
  work();
  return allocations() - before;
}

}  // namespace

TEST_CASE("Convolutions allocate nothing while they run") {
  ThreadScope scope(2);
  scope.execute([] {
    Random random(1);
    for (const int in : {3, 40, 352}) {
      CAPTURE(in);
      FilterData data(in, 352, 3, random);
      const Shape shape{33, 30, in};
      const auto convolution = cpu::make_convolution(
          cpu::pack_filter(data.filter, cpu::ConvolutionMethod::automatic, true), shape);
      Scratch scratch(convolution->scratch_bytes());
      Image input = random.image(shape);
      Image output({33, 30, 352});
      cpu::ConvolutionOutputs outputs;
      outputs.output = output.values.data();
      cpu::ConvolutionGradient gradient;
      gradient.gradient = output.values.data();
      gradient.result = input.values.data();
      CHECK(allocations_of([&] { convolution->forward(input.values.data(), outputs, scratch.data()); }) == 0);
      CHECK(allocations_of([&] { convolution->backward(gradient, scratch.data()); }) == 0);
    }
  });
}

TEST_CASE("Gram matrices, losses and vectors allocate nothing while they run") {
  ThreadScope scope(2);
  scope.execute([] {
    Random random(2);
    Image features = random.image({50, 60, 32});
    Image other = random.image({50, 60, 32});
    Image matrix({32, 32, 1});
    Scratch scratch(cpu::gram_scratch(features.shape) + cpu::gram_backward_scratch(features.shape) +
                    cpu::reduction_scratch(features.shape.elements()) +
                    cpu::total_variation_scratch(features.shape));
    CHECK(allocations_of([&] {
            cpu::gram(features.view(), matrix.view(), scratch.data());
            cpu::gram_backward(features.view(), matrix.view(), other.view(), true, scratch.data());
            cpu::squared_error(features.view(), other.view(), 1, scratch.data());
            cpu::squared_error_backward(features.view(), other.view(), 1, other.view(), false);
            cpu::total_variation(features.view(), 1, scratch.data());
            cpu::total_variation_backward(features.view(), 1, other.view(), true);
            cpu::dot(features.values, other.values, scratch.data());
            cpu::axpby(0.5, features.values, 0.5, other.values);
          }) == 0);
  });
}
