#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "nodes/optim/line_search.h"

using namespace gramflow;

namespace {

using Curve = std::function<LinePoint(double)>;

struct Found {
  LineSearchResult result;
  std::vector<double> tried;
  double kept = -1;  ///< step of the last point kept
};

Found search(const Curve& curve, double first_step, int max_evaluations = 25) {
  Found found;
  LineSearchOptions options;
  options.max_evaluations = max_evaluations;
  found.result = search_line(
      curve(0), first_step, options,
      [&](double step) {
        found.tried.push_back(step);
        return curve(step);
      },
      [&] { found.kept = found.tried.back(); });
  return found;
}

bool satisfies_wolfe(const Curve& curve, const LinePoint& p) {
  const LinePoint start = curve(0);
  return p.loss <= start.loss + 1e-4 * p.step * start.slope && std::abs(p.slope) <= -0.9 * start.slope;
}

/// The gradient of the result is either the last one evaluated or the last one kept.
bool gradient_is_at_hand(const Found& found) {
  return found.result.best_is_last ? found.result.best.step == found.tried.back()
                                   : found.result.best.step == 0 || found.result.best.step == found.kept;
}

LinePoint parabola(double step) { return {step, (step - 3) * (step - 3), 2 * (step - 3)}; }
LinePoint wavy(double step) {
  return {step, std::sin(5 * step) - 0.3 * step, 5 * std::cos(5 * step) - 0.3 - 5};
}
LinePoint quartic(double step) { return {step, std::pow(step - 1, 4) - step, 4 * std::pow(step - 1, 3) - 1}; }
LinePoint wall(double step) {  // finite up to 0.001 only
  return step < 1e-3 ? LinePoint{step, -step, -1 + 900 * step} : LinePoint{step, NAN, NAN};
}

}  // namespace

TEST_CASE("The minimum of a cubic is found from its ends") {
  // x^3 - 3 x has its minimum -2 at 1.
  const auto cubic = [](double x) { return LinePoint{x, x * x * x - 3 * x, 3 * x * x - 3}; };
  CHECK(cubic_minimum(cubic(0), cubic(2.5), 0, 2.5) == doctest::Approx(1));
  CHECK(cubic_minimum(cubic(2.5), cubic(0), 0, 2.5) == doctest::Approx(1));
  CHECK(cubic_minimum(cubic(0), cubic(0.5), 0.6, 0.9) == doctest::Approx(0.9));
  CHECK(cubic_minimum(cubic(0), cubic(0), 2, 4) == 3);
}

TEST_CASE("A good first step is taken without further ado") {
  const Found found = search(parabola, 2);
  CHECK(found.result.best.step == 2);
  CHECK(found.result.evaluations == 1);
  CHECK(found.result.best_is_last);
}

TEST_CASE("A step that is too short grows, one that is too long shrinks, until strong Wolfe holds") {
  for (const Curve& curve : {Curve(parabola), Curve(quartic)})
    for (const double first : {1e-6, 1e-3, 0.1, 1.0, 5.0, 100.0, 1e6}) {
      CAPTURE(first);
      const Found found = search(curve, first);
      CHECK(satisfies_wolfe(curve, found.result.best));
      CHECK(gradient_is_at_hand(found));
      CHECK(found.result.evaluations == static_cast<int>(found.tried.size()));
    }
}

TEST_CASE("However few evaluations there are, the result is not above the start and its gradient at hand") {
  for (const Curve& curve : {Curve(parabola), Curve(quartic), Curve(wavy)})
    for (const double first : {1e-3, 0.7, 3.0, 40.0})
      for (int most = 1; most < 8; ++most) {
        CAPTURE(first);
        CAPTURE(most);
        const Found found = search(curve, first, most);
        CHECK(static_cast<int>(found.tried.size()) <= most);
        CHECK(found.result.best.loss <= curve(0).loss);
        CHECK(gradient_is_at_hand(found));
      }
}

TEST_CASE("Where the loss is not finite the search stays below") {
  const Found found = search(wall, 1);
  CHECK(found.result.met_not_finite);
  CHECK(found.result.best.step > 0);
  CHECK(found.result.best.step < 1e-3);
  CHECK(satisfies_wolfe(wall, found.result.best));
}

TEST_CASE("A line that only rises gives step 0") {
  const Found found = search([](double step) { return LinePoint{step, step * step + step, -1}; }, 1);
  CHECK(found.result.best.step == 0);
  CHECK_FALSE(found.result.best_is_last);
}
