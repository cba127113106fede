#pragma once
// A struct of parameters with one of everything, declared as node types do it.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/schema/parameters.h"

namespace gramflow {

enum class Method { adam, lbfgs };
inline auto enum_names(Method) {
  return std::vector<std::pair<std::string, Method>>{{"adam", Method::adam}, {"lbfgs", Method::lbfgs}};
}

struct DecaySample {
  double factor = 0.5;
  int every = 0;
};
template <class Visitor>
void visit_parameters(Visitor& visitor, DecaySample& decay) {
  visitor("factor", decay.factor, "factor of a step", more_than(0.0), at_most(1.0));
  visitor("every", decay.every, "iterations between steps", required(), at_least(1));
}

struct Sample {
  double weight = 1;
  int iterations = 300;
  std::uint64_t seed = 0;
  bool verbose = false;
  std::string path = "out.png";
  std::string title;
  Method method = Method::adam;
  std::vector<std::string> layers;
  std::vector<double> factors = {1, 2};
  std::optional<double> clip;
  std::map<std::string, double> weights;
  std::optional<DecaySample> decay;
};
template <class Visitor>
void visit_parameters(Visitor& visitor, Sample& sample) {
  visitor("weight", sample.weight, "factor of the loss", at_least(0.0));
  visitor("iterations", sample.iterations, "steps", at_least(1), at_most(1000));
  visitor("seed", sample.seed, "of the noise");
  visitor("verbose", sample.verbose, "say more");
  visitor("path", sample.path, "file", not_empty());
  visitor("title", sample.title, "of the picture");
  visitor("method", sample.method, "how to step");
  visitor("layers", sample.layers, "layers to compare", not_empty());
  visitor("factors", sample.factors, "one for each", at_least(0.0));
  visitor("clip", sample.clip, "largest step");
  visitor("weights", sample.weights, "by layer", at_least(0.0));
  visitor("decay", sample.decay, "of the step");
}

}  // namespace gramflow
