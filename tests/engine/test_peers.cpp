// Other programs' recipes against their own formulas in float64 (tests/golden/make_peers.py): the same losses, iteration by
// iteration, from the same pictures and weights.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/config/read_pipeline.h"
#include "nodes/image/picture_io.h"
#include "tests/support/formula.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

using Curve = std::vector<double>;

const nlohmann::json& peers() {
  static const nlohmann::json json = [] {
    std::ifstream file(GRAMFLOW_SOURCE_DIR "/tests/golden/peers.json");
    return nlohmann::json::parse(file);
  }();
  return json;
}

/// The picture of make_peers.py, in 8 bits: squares of four pixels.
void write_picture_of(const std::string& path, const nlohmann::json& made) {
  const int width = made[0], height = made[1], columns = width / 4;
  Picture picture(PictureSize{width, height});
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const auto k = static_cast<std::uint64_t>(((y / 4) * columns + x / 4) * 3 + c);
        picture.rgb[static_cast<std::size_t>((y * width + x) * 3 + c)] =
            static_cast<float>(std::floor(formula(k, made[2]) * 256) / 255);
      }
  write_picture(path, picture);
}

/// Sums of the losses named, before each step.
Curve curve_of(const std::string& recipe, const TemporaryFolder& folder, std::vector<Override> settings,
               const std::vector<std::string>& losses) {
  write_picture_of(folder / "content.png", peers()["content"]);
  write_picture_of(folder / "style.png", peers()["style"]);
  for (const Override& setting : std::vector<Override>{{"content", folder / "content.png"},
                                                       {"style", folder / "style.png"},
                                                       {"size", "96"},
                                                       {"iterations", "20"},
                                                       {"output", folder / "out.png"}})
    settings.push_back(setting);
  Diagnostics warnings;
  auto stages = compile_stages(
      read_pipeline(fmt::format("{}/configs/styles/{}.yaml", GRAMFLOW_SOURCE_DIR, recipe), settings),
      test_nodes(shipped_library()), warnings);
  Recorder recorder;
  RunOptions options;
  options.observers.push_back(&recorder);
  run_stages(std::move(stages), options);
  Curve curve;
  for (std::size_t i = 0; i < recorder.iterations().size(); ++i) {
    double sum = 0;
    for (const std::string& loss : losses) sum += recorder.loss(i, loss);
    curve.push_back(sum);
  }
  return curve;
}

void check_curve(const Curve& found, const Curve& wanted, std::size_t count, double tolerance) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < count; ++i) {
    CAPTURE(i);
    CHECK(found[i] == doctest::Approx(wanted[i]).epsilon(tolerance));
  }
}

/// With maxima a path depends on the last digit of its start: where float64 runs from starts 1e-7 apart have parted, so
/// may we, but not further than they do.
void check_spread(const Curve& found, const std::vector<Curve>& runs) {
  check_curve(found, runs[0], 3, 1e-3);
  for (std::size_t i = 3; i < found.size(); ++i) {
    CAPTURE(i);
    double low = runs[0][i], high = low;
    for (const Curve& run : runs) {
      low = std::min(low, run[i]);
      high = std::max(high, run[i]);
    }
    const double room = 1e-3 * high + (high - low);
    CHECK(found[i] >= low - room);
    CHECK(found[i] <= high + room);
  }
}

Curve jcjohnson(const std::string& pooling) {
  const TemporaryFolder folder;
  return curve_of("jcjohnson", folder,
                  {{"network", "vgg19-mini"},
                   {"pooling", pooling},
                   {"content_weight", "5e4"},
                   {"style_weight", "1e10"},
                   {"tv_weight", "0"},
                   {"nodes.result.learning_rate", "0.17"}},
                  {"content_loss", "style_loss"});
}

Curve crowson(const std::string& pooling) {
  const TemporaryFolder folder;
  return curve_of(
      "crowson", folder,
      {{"network", "vgg19-mini"}, {"pooling", pooling}, {"pooling_gain", pooling == "max" ? "1" : "2"}},
      {"result/content_loss", "result/style_loss", "result/tv_loss"});
}

}  // namespace

TEST_CASE("jcjohnson's curve with average pooling") {
  check_curve(jcjohnson("average"), peers()["jcjohnson"]["average"], 20, 1e-3);
}

TEST_CASE("crowson's curve with average pooling") {
  check_curve(crowson("average"), peers()["crowson"]["average"], 20, 1e-3);
}

TEST_CASE("jcjohnson's curve with maxima") { check_spread(jcjohnson("max"), peers()["jcjohnson"]["max"]); }

TEST_CASE("crowson's curve with maxima") { check_spread(crowson("max"), peers()["crowson"]["max"]); }
