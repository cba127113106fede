#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/ops/neighbor_loss.h"
#include "tests/losses/loss_op.h"
#include "tests/support/reference.h"
#include "tests/support/run_op.h"

using namespace gramflow;
using namespace gramflow::test;
using Json = nlohmann::json;

namespace {

NeighborSampling sampling(std::int64_t grid, std::uint64_t seed = 0, std::int64_t iteration = 0) {
  NeighborSampling made;
  made.grid = grid;
  made.seed = seed;
  made.layer = 5;
  made.iteration = [iteration] { return iteration; };
  return made;
}

LossOp loss_of(NeighborSampling how, Memory canvas, std::vector<Memory> targets, double weight = 1) {
  std::vector<Memory> inputs = {std::move(canvas)};
  for (Memory& target : targets) inputs.push_back(std::move(target));
  return {std::make_shared<NeighborLoss>(weight, std::move(how)), std::move(inputs)};
}

}  // namespace

TEST_CASE("Values, gradients and sampled positions are those of the float64 reference") {
  const Json golden = Json::parse(std::ifstream(GRAMFLOW_SOURCE_DIR "/tests/golden/neighbor.json"));
  for (const Json& one : golden["cases"]) {
    CAPTURE(one["canvas"].dump());
    NeighborSampling how = sampling(one["grid"], one["seed"], one["draw"]);
    how.layer = one["layer"];
    const int channels = one["channels"];
    Memory canvas = formula_features(one["canvas"][0], one["canvas"][1], channels, 1);
    std::vector<Memory> targets;
    for (const Json& size : one["targets"])
      targets.push_back(formula_features(size[0], size[1], channels, 2 + static_cast<int>(targets.size())));
    std::uint64_t number = 0;
    for (const Json& expected : one["lattices"]) {
      const Shape map = number == 0 ? canvas.desc.shape : targets[number - 1].desc.shape;
      const Lattice lattice = how.lattice(map, number++);
      CHECK(Json{lattice.stride, lattice.row, lattice.column} == expected);
    }
    LossOp loss = loss_of(how, canvas, targets, one["weight"]);
    CHECK(loss.value() == doctest::Approx(one["loss"].get<double>()).epsilon(1e-6));
    CHECK(gradient_error(loss.gradient(), one["gradient"]) <= 1e-5);
  }
}

TEST_CASE("The gradient predicts the change of the loss while matches stay") {
  LossOp loss = loss_of(sampling(4, 3), formula_features(9, 12, 16, 1, false),
                        {formula_features(10, 12, 16, 2, false), formula_features(12, 10, 16, 3, false)});
  check_gradient(loss, 1e-3F, 2e-3, 3);
}

TEST_CASE("A feature of almost no length is only scaled, and so is its gradient") {
  Memory canvas = formula_features(3, 3, 4, 1, false);
  for (float& value : canvas.floats()) value *= 1e-5F;
  LossOp loss = loss_of(sampling(32), canvas, {formula_features(3, 3, 4, 2)});
  CHECK(std::isfinite(loss.value()));
  loss.value();
  for (const double value : loss.gradient()) CHECK(std::isfinite(value));
  check_gradient(loss, 1e-8F, 2e-3, 1);
}

TEST_CASE("A canvas that is the target costs nothing, wherever its parts stand") {
  const Memory target = formula_features(8, 8, 24, 2, false);
  Memory shuffled = target;  // rows upside down
  const std::size_t row = 8 * 24;
  for (std::size_t y = 0; y < 8; ++y)
    std::copy_n(target.words.begin() + static_cast<long>(y * row / 2), row / 2,
                shuffled.words.begin() + static_cast<long>((7 - y) * row / 2));
  CHECK(loss_of(sampling(8), target, {target}).value() == doctest::Approx(0).epsilon(1e-6));
  CHECK(loss_of(sampling(8), shuffled, {target}).value() == doctest::Approx(0).epsilon(1e-6));
}

TEST_CASE("Of equal candidates the first is taken, also across panels of the search") {
  const Memory canvas = formula_features(4, 5, 8, 1, false);
  const Memory target = formula_features(30, 30, 8, 2, false);  // 900 candidates, several panels
  LossOp once = loss_of(sampling(32), canvas, {target});
  LossOp twice = loss_of(sampling(32), canvas, {target, target});
  const double value = once.value();
  CHECK(twice.value() == doctest::Approx(value).epsilon(1e-6));
  // The mean of twice the same set is the same up to rounding; the same rows are taken.
  const std::vector<double> one = once.gradient(), two = twice.gradient();
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(two[i] == doctest::Approx(one[i]).epsilon(1e-4));
}

TEST_CASE("Its gradient is added to what is there") {
  LossOp loss = loss_of(sampling(4), formula_features(9, 12, 16, 1), {formula_features(9, 12, 16, 2)});
  loss.value();
  const std::vector<double> plain = loss.gradient(), sum = loss.gradient(0, true);
  for (std::size_t i = 0; i < plain.size(); ++i)
    REQUIRE(static_cast<float>(sum[i]) == 1.0F + static_cast<float>(plain[i]));
}

TEST_CASE("The same bits with any number of threads") {
  CHECK(gramflow::test::same_for_any_threads([] {
    LossOp loss =
        loss_of(sampling(16, 9), formula_features(60, 70, 48, 1), {formula_features(50, 70, 48, 2)});
    const double value = loss.value();
    const std::vector<double> gradient = loss.gradient();
    std::vector<float> bits(gradient.begin(), gradient.end());
    bits.resize(bits.size() + 2);
    std::memcpy(bits.data() + bits.size() - 2, &value, sizeof value);
    return bits;
  }));
}

TEST_CASE("Positions follow the iteration, the layer and the seed, and stand still without an iteration") {
  const Shape map{100, 128, 8};
  const auto offsets = [&](NeighborSampling how, std::uint64_t number = 0) {
    const Lattice lattice = how.lattice(map, number);
    CHECK(lattice.stride == 16);
    CHECK(lattice.row < 16);
    CHECK(lattice.column < 16);
    return std::pair(lattice.row, lattice.column);
  };
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (std::int64_t i = 0; i < 2000; ++i) seen.insert(offsets(sampling(8, 0, i)));
  CHECK(seen.size() > 250);  // all 256 are drawn sooner or later
  CHECK(offsets(sampling(8, 0, 3)) == offsets(sampling(8, 0, 3)));
  NeighborSampling other = sampling(8, 0, 3);
  other.layer = 6;
  CHECK(offsets(other) != offsets(sampling(8, 0, 3)));
  CHECK(offsets(sampling(8, 1, 3)) != offsets(sampling(8, 0, 3)));
  CHECK(offsets(sampling(8, 0, 3), 1) != offsets(sampling(8, 0, 3), 0));
  NeighborSampling held = sampling(8, 0, 7), still = sampling(8, 0, 0);
  held.every = 4;
  still.iteration = nullptr;
  CHECK(offsets(held) == offsets(sampling(8, 0, 1)));
  CHECK(offsets(still) == offsets(sampling(8, 0, 0)));
}

TEST_CASE("Memory and work are bounded by the grid") {
  const auto cost_at = [](std::int64_t size) {
    const NeighborLoss op(1, sampling(32));
    const std::vector<TensorDesc> inputs(2, TensorDesc{Shape{size, size, 64}, ElementType::f32});
    return std::pair(scratch_bytes(op, inputs), op.cost(inputs, op.infer(inputs)).flops);
  };
  const auto [memory, work] = cost_at(63);  // the worst: just not yet stride 2
  for (const std::int64_t size : {64, 500, 2048, 8191}) {
    CHECK(cost_at(size).first <= memory * 33 / 32);
    CHECK(cost_at(size).second <= work * 1.07);
  }
  CHECK(cost_at(2048).first * 3 < memory);
}

TEST_CASE("Targets of another network are refused") {
  const NeighborLoss op(1, sampling(32));
  CHECK_THROWS_WITH_AS(op.infer(std::vector<TensorDesc>{{Shape{4, 4, 8}, ElementType::f32},
                                                        {Shape{4, 4, 16}, ElementType::f32}}),
                       "it compares 8 channels with 16; both must come from the same network", ShapeError);
}
