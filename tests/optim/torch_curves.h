#pragma once
// Comparison with torch_curves.json, which make_curves.py made.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/optim/functions.h"

namespace gramflow::test {

inline nlohmann::json torch_curve(const std::string& name) {
  std::ifstream file(GRAMFLOW_SOURCE_DIR "/tests/optim/torch_curves.json");
  REQUIRE(file.good());
  return nlohmann::json::parse(file).at(name);
}

inline Problem problem_of(const nlohmann::json& curve) {
  const auto elements = curve.at("elements").get<std::size_t>();
  const auto name = curve.at("function").get<std::string>();
  if (name == "quadratic") return quadratic(elements);
  return name == "valley" ? valley(elements) : rosenbrock(elements);
}

/// Every loss, the last x and the number of evaluations; ours reuse the last of each line search, torch does
/// not.
inline void check_follows_torch(const std::string& name, std::unique_ptr<OptimizationMethod> method,
                                bool reuses_evaluations) {
  CAPTURE(name);
  const nlohmann::json curve = torch_curve(name);
  const auto expected = curve.at("losses_before_each_step").get<std::vector<double>>();
  Run run(std::move(method), problem_of(curve));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(run.step().loss == doctest::Approx(expected[i]).epsilon(1e-5));
  }
  const int repeated = reuses_evaluations ? static_cast<int>(expected.size()) - 1 : 0;
  CHECK(run.evaluations == curve.at("evaluations").get<int>() - repeated);
  CHECK(run.evaluate() == doctest::Approx(curve.at("loss_after").get<double>()).epsilon(1e-5));
  // Where the loss is flat, single precision moves x more than the loss; torch in float32 is off by 3e-4.
  const auto x = curve.at("x_after").get<std::vector<double>>();
  const std::size_t n = run.x.size();
  const std::size_t places[] = {0, n / 3, n - 1};
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(static_cast<double>(run.x[places[i]]) == doctest::Approx(x[i]).epsilon(5e-5));
}

}  // namespace gramflow::test
