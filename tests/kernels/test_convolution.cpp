#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "framework/base/parallel.h"
#include "tests/kernels/convolution_case.h"

using namespace gramflow;
using namespace gramflow::test;
using cpu::Border;
using cpu::ConvolutionMethod;

namespace {

constexpr double forward_tolerance = 5e-6;
constexpr double backward_tolerance = 2e-5;

struct Case {
  Shape input;
  int out_channels;
  int kernel = 3;
  int padding = 1;
  Border border = Border::zero;
  ConvolutionMethod method = ConvolutionMethod::automatic;
};

std::string name_of(const Case& c) {
  return c.input.to_string() + " -> " + std::to_string(c.out_channels) + ", kernel " +
         std::to_string(c.kernel) + ", padding " + std::to_string(c.padding) + ", border " +
         std::to_string(static_cast<int>(c.border)) + ", method " +
         std::to_string(static_cast<int>(c.method));
}

/// A filter and an input for a case, and what double arithmetic makes of them.
struct Made {
  Made(const Case& c, unsigned seed)
      : random(seed),
        data(static_cast<int>(c.input.channels), c.out_channels, c.kernel, random),
        input(random.image(c.input)) {
    data.filter.padding = c.padding;
    data.filter.border = c.border;
    out = output_shape(data.filter, c.input);
  }
  Random random;
  FilterData data;
  Image input;
  Shape out;
};

void check_both_directions(const Case& c, unsigned seed) {
  CAPTURE(name_of(c));
  CAPTURE(seed);
  Made made(c, seed);
  const ForwardResult forward = run_forward(made.data.filter, c.method, made.input, {});
  CHECK(forward.scratch_intact);
  CHECK(relative_rms(forward.output, convolve(made.data.filter, made.input)) < forward_tolerance);

  BackwardInput from;
  from.gradient = made.random.floats(static_cast<std::size_t>(made.out.elements()));
  const std::vector<float> result = run_backward(made.data.filter, c.method, c.input, from);
  REQUIRE(result.size() == static_cast<std::size_t>(c.input.elements()));
  CHECK(relative_rms(result, convolve_backward(made.data.filter, c.input, doubles(from.gradient))) <
        backward_tolerance);
}

/// Whether `write` leaves the same bits at an address that suits vectors and at one that does not.
bool same_at_any_address(Shape shape, const std::function<void(float*)>& write) {
  const std::size_t elements = static_cast<std::size_t>(shape.elements());
  std::vector<float> memory(elements + 32);
  float* aligned = memory.data();
  while (reinterpret_cast<std::uintptr_t>(aligned) % 64 != 0) ++aligned;
  write(aligned);
  const std::vector<float> first(aligned, aligned + elements);
  write(aligned + 1);
  return std::equal(first.begin(), first.end(), aligned + 1);
}

const Case usual_cases[] = {
    {{11, 13, 16}, 24},
    {{11, 13, 16}, 24, 3, 1, Border::zero, ConvolutionMethod::direct},
    {{9, 10, 3}, 20},
    {{9, 10, 20}, 3},
};

}  // namespace

TEST_CASE("Convolutions equal their definition for every kernel, border and method") {
  for (const Border border : {Border::zero, Border::reflect, Border::replicate}) {
    for (const ConvolutionMethod method : {ConvolutionMethod::automatic, ConvolutionMethod::direct}) {
      check_both_directions({{9, 14, 8}, 12, 3, 1, border, method}, 1);
      check_both_directions({{6, 5, 7}, 5, 1, 0, border, method}, 2);
      check_both_directions({{12, 9, 5}, 6, 5, 2, border, method}, 3);
      check_both_directions({{12, 9, 5}, 6, 3, 0, border, method}, 4);
      check_both_directions({{70, 300, 16}, 16, 3, 1, border, method}, 5);
    }
  }
}

TEST_CASE("Winograd, direct and double agree for random sizes, channels and borders") {
  Random random(20);
  for (unsigned round = 0; round < 40; ++round) {
    Case c{{random.between(1, 23), random.between(1, 29), random.between(1, 70)},
           static_cast<int>(random.between(1, 70))};
    c.border = static_cast<Border>(random.between(0, 2));
    for (const ConvolutionMethod method :
         {ConvolutionMethod::winograd, ConvolutionMethod::direct, ConvolutionMethod::automatic}) {
      c.method = method;
      check_both_directions(c, 100 + round);
    }
  }
}

TEST_CASE("Pictures of one row, one column and one pixel") {
  for (const Border border : {Border::zero, Border::reflect, Border::replicate})
    for (const Shape shape : {Shape{1, 17, 6}, Shape{17, 1, 6}, Shape{1, 1, 6}, Shape{2, 2, 6}})
      for (const ConvolutionMethod method : {ConvolutionMethod::winograd, ConvolutionMethod::direct})
        check_both_directions({shape, 10, 3, 1, border, method}, 6);
}

TEST_CASE("Filters whose transformed weights are not kept work in both directions") {
  check_both_directions({{9, 13, 352}, 352}, 15);
  check_both_directions({{6, 7, 337}, 403}, 16);
  check_both_directions({{3, 5, 352}, 460}, 18);
  check_both_directions({{7, 9, 340}, 352, 3, 1, Border::reflect}, 19);
}

TEST_CASE("Pictures of one to four channels, with every border") {
  for (const Border border : {Border::zero, Border::reflect, Border::replicate})
    for (const std::int64_t channels : {1, 2, 3, 4})
      for (const Shape shape : {Shape{1, 1, channels}, Shape{7, 37, channels}, Shape{130, 5, channels}})
        check_both_directions({shape, 21, 3, 1, border}, 17);
}

TEST_CASE("Fused outputs are those of the plain output") {
  for (Case c : usual_cases) {
    CAPTURE(name_of(c));
    Made made(c, 7);
    const ForwardResult plain = run_forward(made.data.filter, c.method, made.input, {});
    const ForwardResult all =
        run_forward(made.data.filter, c.method, made.input, {true, true, true, true, true});
    const ForwardResult none =
        run_forward(made.data.filter, c.method, made.input, {false, true, true, true, true});
    CHECK(all.scratch_intact);

    std::vector<float> relu = plain.output;
    for (float& value : relu) value = value > 0 ? value : 0;
    CHECK(all.output == relu);
    CHECK(all.mask == mask_of(relu, made.out));
    const Shape small = pooled_shape(made.out);
    for (std::int64_t y = 0; y < small.height; ++y)
      for (std::int64_t x = 0; x < small.width; ++x)
        for (std::int64_t ch = 0; ch < small.channels; ++ch) {
          float best = 0;
          int which = 4;
          for (int k = 0; k < 4; ++k) {
            const std::size_t at = static_cast<std::size_t>(
                ((2 * y + k / 2) * made.out.width + 2 * x + k % 2) * made.out.channels + ch);
            if (relu[at] > best) best = relu[at], which = k;
          }
          const std::size_t at = static_cast<std::size_t>((y * small.width + x) * small.channels + ch);
          REQUIRE(all.pooled[at] == best);
          REQUIRE(all.index[at] == which);
        }
    CHECK(none.mask == all.mask);
    CHECK(none.pooled == all.pooled);
    CHECK(none.index == all.index);
  }
}

TEST_CASE("Each fused output can be asked for alone") {
  for (Case c : usual_cases) {
    CAPTURE(name_of(c));
    Made made(c, 8);
    const ForwardResult all =
        run_forward(made.data.filter, c.method, made.input, {true, true, true, true, true});
    CHECK(run_forward(made.data.filter, c.method, made.input, {true, true, false, false, false}).output ==
          all.output);
    CHECK(run_forward(made.data.filter, c.method, made.input, {false, true, true, false, false}).mask ==
          all.mask);
    CHECK(run_forward(made.data.filter, c.method, made.input, {false, true, false, true, false}).pooled ==
          all.pooled);
    CHECK(run_forward(made.data.filter, c.method, made.input, {true, true, false, true, true}).index ==
          all.index);
  }
}

TEST_CASE("A pooled gradient with its index stands for the spread gradient") {
  for (Case c : usual_cases) {
    CAPTURE(name_of(c));
    Made made(c, 9);
    BackwardInput pooled;
    const std::size_t count = static_cast<std::size_t>(pooled_shape(made.out).elements());
    pooled.pooled_gradient = made.random.floats(count);
    pooled.index.resize(count);
    for (auto& which : pooled.index) which = static_cast<std::uint8_t>(made.random.between(0, 4));
    BackwardInput whole;
    whole.gradient = spread(pooled, made.out);
    CHECK(run_backward(made.data.filter, c.method, c.input, pooled) ==
          run_backward(made.data.filter, c.method, c.input, whole));
  }
}

TEST_CASE("Backward accumulates first and masks after") {
  for (Case c : usual_cases) {
    CAPTURE(name_of(c));
    Made made(c, 10);
    BackwardInput from;
    from.gradient = made.random.floats(static_cast<std::size_t>(made.out.elements()));
    const std::vector<float> plain = run_backward(made.data.filter, c.method, c.input, from);
    from.start = made.random.floats(plain.size());
    const std::vector<float> added = run_backward(made.data.filter, c.method, c.input, from);
    from.mask = mask_of(made.random.floats(plain.size()), c.input);
    const std::vector<float> masked = run_backward(made.data.filter, c.method, c.input, from);
    from.start.clear();
    const std::vector<float> masked_only = run_backward(made.data.filter, c.method, c.input, from);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const bool keep = bit(from.mask, c.input, static_cast<std::int64_t>(i));
      REQUIRE(masked[i] == (keep ? added[i] : 0.0f));
      REQUIRE(masked_only[i] == (keep ? plain[i] : 0.0f));
    }
  }
}

TEST_CASE("Accumulating adds to what is there") {
  for (Case c : usual_cases) {
    CAPTURE(name_of(c));
    Made made(c, 11);
    BackwardInput from;
    from.gradient = made.random.floats(static_cast<std::size_t>(made.out.elements()));
    const std::vector<float> plain = run_backward(made.data.filter, c.method, c.input, from);
    from.start = made.random.floats(plain.size());
    const std::vector<float> added = run_backward(made.data.filter, c.method, c.input, from);
    for (std::size_t i = 0; i < plain.size(); ++i) REQUIRE(added[i] == from.start[i] + plain[i]);
  }
}

TEST_CASE("Convolutions give the same bits for any number of threads") {
  for (const ConvolutionMethod method :
       {ConvolutionMethod::automatic, ConvolutionMethod::winograd, ConvolutionMethod::direct})
    for (const Shape shape : {Shape{67, 131, 32}, Shape{67, 131, 3}}) {
      const Case c{shape, 48, 3, 1, Border::zero, method};
      CAPTURE(name_of(c));
      Made made(c, 12);
      BackwardInput from;
      from.gradient = made.random.floats(static_cast<std::size_t>(made.out.elements()));
      CHECK(same_for_any_threads([&] {
        return run_forward(made.data.filter, method, made.input, {true, true}).output;
      }));
      CHECK(same_for_any_threads([&] { return run_backward(made.data.filter, method, shape, from); }));
    }
}

TEST_CASE("Large results are the same bits wherever they are written") {
  // Aligned ones go past the caches, others do not.
  for (const Case& c : {Case{{259, 263, 3}, 64}, Case{{259, 263, 16}, 64}, Case{{259, 263, 64}, 16}}) {
    CAPTURE(name_of(c));
    Made made(c, 19);
    const auto convolution =
        cpu::make_convolution(cpu::pack_filter(made.data.filter, c.method, true), c.input);
    Scratch scratch(convolution->scratch_bytes());
    CHECK(same_at_any_address(made.out, [&](float* to) {
      cpu::ConvolutionOutputs outputs;
      outputs.output = to;
      convolution->forward(made.input.values.data(), outputs, scratch.data());
    }));
    const std::vector<float> received = made.random.floats(static_cast<std::size_t>(made.out.elements()));
    CHECK(same_at_any_address(c.input, [&](float* to) {
      cpu::ConvolutionGradient gradient;
      gradient.gradient = received.data();
      gradient.result = to;
      convolution->backward(gradient, scratch.data());
    }));
  }
}

TEST_CASE("Scratch and packed sizes are known from shapes alone") {
  for (const Case& c : usual_cases) {
    CAPTURE(name_of(c));
    Made made(c, 13);
    cpu::Filter shape_only = made.data.filter;
    shape_only.weights = shape_only.bias = nullptr;
    const auto packed = cpu::pack_filter(made.data.filter, c.method, true);
    CHECK(cpu::convolution_scratch(shape_only, c.method, c.input) ==
          cpu::make_convolution(packed, c.input)->scratch_bytes());
    CHECK(cpu::packed_bytes(shape_only, c.method, true) >= made.data.weights.size() * sizeof(float));
  }
}

TEST_CASE("Filters and inputs that fit nothing are refused with the reason") {
  Random random(14);
  FilterData data(4, 4, 3, random);
  cpu::Filter even = data.filter;
  even.kernel = 2;
  CHECK_THROWS_WITH_AS(cpu::pack_filter(even, ConvolutionMethod::automatic, false),
                       "convolution: needs an odd kernel size, found 2", std::invalid_argument);
  cpu::Filter unpadded = data.filter;
  unpadded.padding = 0;
  CHECK_THROWS_WITH_AS(
      cpu::pack_filter(unpadded, ConvolutionMethod::winograd, false),
      "convolution: Winograd needs a 3x3 kernel with padding 1, found 3x3 with padding 0; use the "
      "direct method",
      std::invalid_argument);
  const auto packed = cpu::pack_filter(data.filter, ConvolutionMethod::automatic, false);
  CHECK_THROWS_WITH_AS(cpu::make_convolution(packed, {8, 8, 5}),
                       "convolution: a 3x3 filter for 4 channels cannot read 5 channels, 8x8",
                       std::invalid_argument);
}
