#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/ops/blend.h"
#include "framework/ops/channel_moments.h"
#include "framework/ops/gram.h"
#include "framework/ops/layer_error.h"
#include "framework/ops/total_variation.h"
#include "framework/ops/variation.h"
#include "framework/ops/wasserstein.h"
#include "tests/losses/loss_op.h"
#include "tests/support/reference.h"
#include "tests/support/run_op.h"

using namespace gramflow;
using namespace gramflow::test;
using Json = nlohmann::json;

namespace {

const Json& golden() {
  static const Json file = Json::parse(std::ifstream(GRAMFLOW_SOURCE_DIR "/tests/golden/losses.json"));
  return file;
}

VariationKind kind_of(const Json& name) {
  return name == "l1" ? VariationKind::l1 : name == "l2" ? VariationKind::l2 : VariationKind::nine_point;
}

const Memory absent(absent_tensor);

/// The numbers of one op's outputs.
std::vector<Memory> run_op(const Op& op, std::vector<Memory> inputs) {
  std::vector<TensorDesc> descs;
  std::vector<TensorView> from, to;
  for (Memory& input : inputs) {
    descs.push_back(input.desc);
    from.push_back(input.view());
  }
  std::vector<Memory> outputs;
  for (const TensorDesc& desc : op.infer(descs)) outputs.emplace_back(desc);
  for (Memory& output : outputs) to.push_back(output.view());
  const std::size_t bytes = gramflow::test::scratch_bytes(op, descs);
  gramflow::test::Scratch scratch(bytes);
  gramflow::test::run_op(op, from, to, scratch.data(), bytes);
  CHECK(scratch.intact());
  return outputs;
}

/// What a Gram node leaves: F F^T / (C H W), mean, mean square.
struct Statistics {
  Memory gram, mean, square;
  Statistics(int height, int width, int channels, int seed)
      : gram({Shape{channels, channels, 1}, ElementType::f32}),
        mean({Shape{1, 1, channels}, ElementType::f64}),
        square(mean) {
    Memory features = formula_features(height, width, channels, seed);
    const std::vector<Memory> moments = run_op(ChannelMoments(), {features});
    mean = moments[0];
    square = moments[1];
    const auto count = static_cast<std::size_t>(channels);
    const std::span<float> f = features.floats();
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < count; ++j) {
        double sum = 0;
        for (std::size_t p = 0; p < f.size(); p += count)
          sum += static_cast<double>(f[p + i]) * static_cast<double>(f[p + j]);
        gram.floats()[i * count + j] = static_cast<float>(sum / static_cast<double>(f.size()));
      }
  }
};

DistributionOptions options_of(const Json& one) {
  return {one["weight"], one["epsilon"], one["epsilon_relative"], one["relative"]};
}

LossOp wasserstein(const Statistics& canvas, const Statistics& style, const DistributionOptions& options) {
  const std::int64_t channels = canvas.mean.desc.shape.channels;
  const std::vector<Memory> root = run_op(CovarianceRoot(options, channels), {style.gram, style.mean});
  return {std::make_shared<WassersteinLoss>(options, channels),
          {canvas.gram, canvas.mean, style.mean, root[0], root[1]}};
}

}  // namespace

TEST_CASE("Total variation of every kind is that of the float64 reference, and so is its gradient") {
  for (const Json& one : golden()["variation"]) {
    CAPTURE(one["kind"].dump());
    CAPTURE(one["height"].dump());
    LossOp loss(
        std::make_shared<Variation>(kind_of(one["kind"]), one["weight"], one["scales"].get<ChannelScales>()),
        {formula_features(one["height"], one["width"], 3, 1, false)});
    CHECK(loss.value() == doctest::Approx(one["loss"].get<double>()).epsilon(1e-9));
    CHECK(gradient_error(loss.gradient(), one["gradient"]) <= 1e-6);
  }
}

TEST_CASE("Total variation's gradient predicts its change, down to one row or column") {
  for (const VariationKind kind : {VariationKind::l1, VariationKind::l2, VariationKind::nine_point})
    for (const auto& [height, width] : {std::pair(8, 6), std::pair(1, 9), std::pair(9, 1)}) {
      LossOp loss(std::make_shared<Variation>(kind, 10, ChannelScales{1, 0.5, 2}),
                  {formula_features(height, width, 3, 4, false)});
      check_gradient(loss, 1e-4F, 1e-3, 1);
      const std::vector<double> plain = loss.gradient(), sum = loss.gradient(0, true);
      for (std::size_t i = 0; i < plain.size(); ++i) CHECK(sum[i] == doctest::Approx(1 + plain[i]));
    }
}

TEST_CASE("Variation l1 in a network's own numbers is TotalVariation") {
  const Memory picture = formula_features(70, 101, 3, 5, false);
  LossOp one(std::make_shared<Variation>(VariationKind::l1, 3, ChannelScales{1, 1, 1}), {picture});
  LossOp other(std::make_shared<TotalVariation>(3), {picture});
  CHECK(one.value() == doctest::Approx(other.value()).epsilon(1e-9));
  CHECK(gradient_error(one.gradient(), other.gradient()) <= 1e-6);
}

TEST_CASE("The nine-point stencil does not care about the direction of an edge") {
  const auto slope = [](VariationKind kind, double degrees) {
    Memory ramp({Shape{40, 40, 3}, ElementType::f32});
    const double angle = degrees * 3.14159265358979 / 180;
    for (int y = 0; y < 40; ++y)
      for (int x = 0; x < 40; ++x)
        for (int c = 0; c < 3; ++c)
          ramp.floats()[static_cast<std::size_t>((y * 40 + x) * 3 + c)] =
              static_cast<float>(std::sin(0.9 * (std::cos(angle) * x + std::sin(angle) * y)));
    return LossOp(std::make_shared<Variation>(kind, 1, ChannelScales{1, 1, 1}), {ramp}).value();
  };
  const auto unevenness = [&](VariationKind kind) { return std::fabs(slope(kind, 45) / slope(kind, 0) - 1); };
  CHECK(unevenness(VariationKind::nine_point) < 0.6 * unevenness(VariationKind::l2));
}

TEST_CASE("Differences in other units are those of the float64 reference") {
  for (const Json& one : golden()["difference"]) {
    CAPTURE(one["scaled"].dump());
    CAPTURE(one["relative_to"].dump());
    CAPTURE(one["factor"].dump());
    const Memory a = formula_features(one["shape"][0], one["shape"][1], one["shape"][2], 1);
    const Memory b = formula_features(one["shape"][0], one["shape"][1], one["shape"][2], 2);
    Memory unit = absent;
    if (one["relative_to"] != "") {
      const RelativeUnit::Of of =
          one["relative_to"] == "size" ? RelativeUnit::Of::size : RelativeUnit::Of::variation;
      unit = run_op(RelativeUnit(of, one["factor"]), {b}).front();
      CHECK(unit.doubles()[0] == doctest::Approx(one["unit"].get<double>()).epsilon(1e-6));
    }
    LossOp loss(std::make_shared<LayerError>(
                    one["scaled"].get<bool>() ? ErrorNormalization::scaled : ErrorNormalization::none,
                    one["weight"], one["factor"]),
                {a, b, unit});
    CHECK(loss.value() == doctest::Approx(one["loss"].get<double>()).epsilon(1e-6));
    CHECK(gradient_error(loss.gradient(), one["gradient"]) <= 1e-5);
    check_gradient(loss, 1e-3F, 2e-3, 3);
  }
}

TEST_CASE("Sums over pictures of many squares leave nothing out") {
  Memory a = formula_features(70, 101, 5, 1), b = formula_features(70, 101, 5, 2);
  double squares = 0, magnitudes = 0, mean[5] = {}, square[5] = {};
  for (std::size_t i = 0; i < a.floats().size(); ++i) {
    const double value = static_cast<double>(a.floats()[i]);
    const double difference = value - static_cast<double>(b.floats()[i]);
    squares += difference * difference;
    magnitudes += std::fabs(difference);
    mean[i % 5] += value / (70 * 101);
    square[i % 5] += value * value / (70 * 101);
  }
  LossOp scaled(std::make_shared<LayerError>(ErrorNormalization::scaled, 1, 1), {a, b, absent});
  CHECK(scaled.value() == doctest::Approx(squares / magnitudes).epsilon(1e-9));
  std::vector<Memory> moments = run_op(ChannelMoments(), {a});
  for (std::size_t c = 0; c < 5; ++c) {
    CHECK(moments[0].doubles()[c] == doctest::Approx(mean[c]).epsilon(1e-9));
    CHECK(moments[1].doubles()[c] == doctest::Approx(square[c]).epsilon(1e-9));
  }
}

TEST_CASE("A difference of nothing is 0 with a gradient of 0; a target of nothing has unit 1") {
  const Memory a = formula_features(4, 5, 6, 1);
  for (const ErrorNormalization normalization : {ErrorNormalization::none, ErrorNormalization::scaled}) {
    LossOp loss(std::make_shared<LayerError>(normalization, 2, 3), {a, a, absent});
    CHECK(loss.value() == 0);
    for (const double slope : loss.gradient()) CHECK(slope == 0);
  }
  const Memory nothing({Shape{4, 5, 6}, ElementType::f32});
  CHECK(run_op(RelativeUnit(RelativeUnit::Of::size, 2), {nothing}).front().doubles()[0] == 1);
  CHECK(run_op(RelativeUnit(RelativeUnit::Of::variation, 2), {nothing}).front().doubles()[0] == 1);
}

TEST_CASE("The W2 distance and its gradients are those of the float64 reference") {
  for (const Json& one : golden()["wasserstein"]) {
    CAPTURE(one["canvas"].dump());
    const Statistics canvas(one["canvas"][0], one["canvas"][1], one["channels"], 1);
    const Statistics style(one["style"][0], one["style"][1], one["channels"], 2);
    LossOp loss = wasserstein(canvas, style, options_of(one));
    CHECK(loss.value() == doctest::Approx(one["loss"].get<double>()).epsilon(1e-7));
    CHECK(gradient_error(loss.gradient(WassersteinLoss::gram), one["gram_gradient"]) <= 1e-5);
    CHECK(gradient_error(loss.gradient(WassersteinLoss::mean), one["mean_gradient"]) <= 1e-5);
  }
}

TEST_CASE("The W2 distance of a style to itself is 0, and so is its gradient") {
  const Statistics style(3, 4, 24, 2);  // fewer positions than channels
  LossOp loss = wasserstein(style, style, {});
  CHECK(std::fabs(loss.value()) < 1e-7);
  for (const double slope : loss.gradient(WassersteinLoss::gram)) CHECK(std::fabs(slope) < 1e-3);
}

TEST_CASE("Statistics of nothing are at a finite distance") {
  Statistics black(3, 4, 8, 2), style(3, 4, 8, 1);
  std::fill(black.gram.words.begin(), black.gram.words.end(), 0);
  std::fill(black.mean.words.begin(), black.mean.words.end(), 0);
  std::fill(black.square.words.begin(), black.square.words.end(), 0);
  for (const bool relative : {false, true})
    for (const auto& [canvas, target] :
         {std::pair(black, style), std::pair(style, black), std::pair(black, black)}) {
      DistributionOptions options;
      options.relative = relative;
      LossOp w2 = wasserstein(canvas, target, options);
      CHECK(std::isfinite(w2.value()));
      for (const double slope : w2.gradient(WassersteinLoss::gram)) CHECK(std::isfinite(slope));
      LossOp simple(std::make_shared<MeanVarianceLoss>(options),
                    {canvas.mean, canvas.square, target.mean, target.square});
      CHECK(std::isfinite(simple.value()));
      for (const double slope : simple.gradient(0)) CHECK(std::isfinite(slope));
    }
}

TEST_CASE("Mean-variance and its gradients are those of the float64 reference") {
  for (const Json& one : golden()["mean_variance"]) {
    const Statistics canvas(one["canvas"][0], one["canvas"][1], one["channels"], 1);
    const Statistics style(one["style"][0], one["style"][1], one["channels"], 2);
    LossOp loss(std::make_shared<MeanVarianceLoss>(options_of(one)),
                {canvas.mean, canvas.square, style.mean, style.square});
    CHECK(loss.value() == doctest::Approx(one["loss"].get<double>()).epsilon(1e-9));
    CHECK(gradient_error(loss.gradient(0), one["mean_gradient"]) <= 1e-8);
    CHECK(gradient_error(loss.gradient(1), one["square_gradient"]) <= 1e-8);
  }
}

TEST_CASE("A blend is the weighted sum, and wants targets of one kind") {
  Memory a = formula_features(3, 4, 5, 1), b = formula_features(3, 4, 5, 2);
  Memory sum = run_op(Blend({0.25, 0.75}), {a, b}).front();
  for (std::size_t i = 0; i < sum.floats().size(); ++i)
    CHECK(sum.floats()[i] == doctest::Approx(0.25F * a.floats()[i] + 0.75F * b.floats()[i]));
  CHECK_THROWS_AS(Blend({0.5, 0.5}).infer(std::vector<TensorDesc>{a.desc, formula_features(3, 4, 6, 1).desc}),
                  ShapeError);
}

TEST_CASE("These losses are the same bits for any number of threads") {
  CHECK(gramflow::test::same_for_any_threads([] {
    std::vector<float> bits;
    const auto keep = [&](double value) {
      float halves[2];
      std::memcpy(halves, &value, sizeof value);
      bits.insert(bits.end(), {halves[0], halves[1]});
    };
    const Memory picture = formula_features(120, 131, 3, 1, false);
    LossOp variation(std::make_shared<Variation>(VariationKind::nine_point, 1, ChannelScales{1, 1, 1}),
                     {picture});
    keep(variation.value());
    for (const double slope : variation.gradient()) keep(slope);
    LossOp difference(std::make_shared<LayerError>(ErrorNormalization::scaled, 1, 1),
                      {formula_features(60, 61, 16, 1), formula_features(60, 61, 16, 2), absent});
    keep(difference.value());
    for (const double slope : difference.gradient()) keep(slope);
    for (Memory& moments : run_op(ChannelMoments(), {formula_features(80, 81, 24, 3)}))
      for (const double value : moments.doubles()) keep(value);
    return bits;
  }));
}

TEST_CASE("A Gram matrix too wide for its kernels is refused where it is asked for") {
  const auto inferred = [](std::int64_t channels) {
    const std::vector<TensorDesc> inputs = {{Shape{2, 3, channels}, ElementType::f32}};
    return Gram().infer(inputs).front().shape;
  };
  CHECK(inferred(24576) == Shape{24576, 24576, 1});
  CHECK_THROWS_WITH_AS(inferred(24577), "it has 24577 channels; a Gram matrix is made of 24576 at most",
                       ShapeError);
}
