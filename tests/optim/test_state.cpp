// A run that is interrupted anywhere and goes on elsewhere is the run that was not.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>

#include "tests/optim/functions.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

using MakeMethod = std::function<std::unique_ptr<OptimizationMethod>()>;

struct Interruption {};

/// Everything the caller of a method owns, apart from Run so that it can be copied to other memory.
class Caller {
 public:
  Caller(MakeMethod make, Problem problem)
      : x(problem.start),
        gradient(x.size(), NAN),
        method(make()),
        problem_(std::move(problem)),
        make_(std::move(make)) {
    state_.assign(method->state_floats(elements()), NAN);
    method->bind(elements(), state_);
  }

  /// The same run in other memory, with a new method.
  std::unique_ptr<Caller> handed_on() const {
    auto other = std::make_unique<Caller>(make_, problem_);
    other->x = x;
    other->gradient = gradient;
    std::copy(state_.begin(), state_.end(), other->state_.begin());
    other->method->restore_state(method->save_state());
    other->iteration_ = iteration_;
    other->evaluations = evaluations;
    return other;
  }

  /// `stop_at`: the evaluation of this step, from 0, that throws.
  StepResult step(int stop_at = -1) {
    int made = 0;
    const auto evaluate = [&] {
      if (made++ == stop_at) {
        std::fill(gradient.begin(), gradient.end(), NAN);
        throw Interruption();
      }
      const std::vector<double> wide_x(x.begin(), x.end());
      std::vector<double> wide_gradient(x.size());
      const double loss = problem_.function(wide_x, wide_gradient);
      std::copy(wide_gradient.begin(), wide_gradient.end(), gradient.begin());
      evaluated_at[evaluations] = x;
      return Evaluated{loss, evaluations++};
    };
    const StepResult result = method->step(iteration_, x, gradient, evaluate);
    ++iteration_;
    return result;
  }

  std::vector<float> x, gradient;
  std::unique_ptr<OptimizationMethod> method;
  std::int64_t evaluations = 0;
  std::map<std::int64_t, std::vector<float>> evaluated_at;

 private:
  std::int64_t elements() const { return static_cast<std::int64_t>(x.size()); }
  Problem problem_;
  MakeMethod make_;
  std::vector<float> state_;
  std::int64_t iteration_ = 0;
};

/// What a step leaves for everyone to see.
struct Outcome {
  StepResult result;
  std::vector<float> x, gradient, shown;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

bool same_outcome(const Outcome& a, const Outcome& b) {
  const StepResult &p = a.result, &q = b.result;
  return std::memcmp(&p.loss, &q.loss, sizeof p.loss) == 0 && p.stopped == q.stopped &&
         p.failed == q.failed && p.restarted == q.restarted && p.went_back == q.went_back &&
         p.moved == q.moved && p.reason == q.reason && same_bits(a.x, b.x) &&
         same_bits(a.gradient, b.gradient) && same_bits(a.shown, b.shown);
}

Outcome outcome_of(Caller& caller) {
  Outcome outcome{caller.step(), {}, {}, {}};
  outcome.x = caller.x;
  outcome.gradient = caller.gradient;
  caller.method->show(caller.x);
  outcome.shown = caller.x;
  caller.method->conceal(caller.x);
  return outcome;
}

std::vector<Outcome> follow(Caller& caller, int steps) {
  std::vector<Outcome> outcomes;
  for (int i = 0; i < steps; ++i) {
    outcomes.push_back(outcome_of(caller));
    if (outcomes.back().result.stopped) break;
  }
  return outcomes;
}

/// How far an element has moved from the start.
double distance(const std::vector<double>& x, const std::vector<float>& start) {
  double moved = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    moved = std::max(moved, std::abs(x[i] - static_cast<double>(start[i])));
  return moved;
}

/// Between `near` and `far` from the start the gradient is a multiple of the true one.
Problem deceiving(std::size_t n, double near, double far, double factor) {
  Problem problem = valley(n);
  return {[=, honest = problem.function, start = problem.start](const auto& x, auto& gradient) {
            const double loss = honest(x, gradient);
            const double moved = distance(x, start);
            if (moved > near && moved < far)
              for (double& g : gradient) g *= factor;
            return loss;
          },
          problem.start};
}

struct Case {
  const char* name;
  MakeMethod make;
  Problem problem;
};

MakeMethod adam(double factor, std::int64_t every) {
  AdamOptions options;
  options.learning_rate = 0.3;
  options.epsilon = 1e-8;
  options.learning_rate.decay = LearningRate::Decay::steps;
  options.learning_rate.factor = factor, options.learning_rate.every = std::max<std::int64_t>(1, every);
  return [options] { return make_adam(options); };
}

constexpr cpu::Box small_box{{-0.4F, -1, 0.2F}, {0.9F, 0.3F, 0.7F}};

/// Own epsilon, a rate that grows and falls.
MakeMethod boxed_adam(double rate) {
  AdamOptions options;
  options.learning_rate = rate;
  options.learning_rate.decay = LearningRate::Decay::cosine, options.learning_rate.iterations = 12;
  options.learning_rate.warm_up = 3;
  options.box = small_box;
  return [options] { return make_adam(options); };
}

MakeMethod lbfgs(int history, double rate, int evaluations = 25) {
  LbfgsOptions options;
  options.history = history, options.learning_rate = rate, options.max_evaluations = evaluations;
  return [options] { return make_lbfgs(options); };
}

MakeMethod boxed_lbfgs(double rate) {
  LbfgsOptions options;
  options.history = 4, options.learning_rate = rate;
  options.box = small_box;
  return [options] { return make_lbfgs(options); };
}

MakeMethod lbfgs_without_search(double rate) {
  LbfgsOptions options;
  options.history = 4, options.learning_rate = rate, options.line_search = false;
  return [options] { return make_lbfgs(options); };
}

MakeMethod wrapped(MakeMethod make) {
  return [make] { return stopping_on_plateau(averaged(make(), 0.8), {1e-3, 4}); };
}

Problem in_small_box(Problem problem) {
  cpu::clamp(small_box, problem.start);
  return problem;
}

/// Not finite farther than `far` from the start.
Problem walled(std::size_t n, double far) {
  Problem problem = valley(n);
  return {[=, honest = problem.function, start = problem.start](const auto& x, auto& gradient) {
            return distance(x, start) > far ? NAN : honest(x, gradient);
          },
          problem.start};
}

/// More elements than one block of any pass; histories that fill within the run and do not; searches that
/// extrapolate, shrink, run out of evaluations and find nothing.
std::vector<Case> cases() {
  return {{"adam", adam(1, 0), valley(5001)},
          {"adam with decay", adam(0.5, 3), valley(300)},
          {"lbfgs, history not full", lbfgs(20, 1), valley(5001)},
          {"lbfgs, history full", lbfgs(3, 1), valley(300)},
          {"lbfgs, history of one", lbfgs(1, 1), rosenbrock(10)},
          {"lbfgs, small rate", lbfgs(5, 0.01), valley(300)},
          {"lbfgs, large rate", lbfgs(5, 30), valley(300)},
          {"lbfgs, few evaluations", lbfgs(5, 30, 2), valley(300)},
          {"lbfgs that forgets", lbfgs(5, 1), deceiving(300, 4.5, 5.2, -1)},
          {"lbfgs on ground that turns flat", lbfgs(5, 1), deceiving(300, 4, 9, 4e-7)},
          {"lbfgs that converges", lbfgs(5, 1), quadratic(2)},
          {"adam in a box", boxed_adam(0.3), in_small_box(valley(5001))},
          {"adam that goes back", boxed_adam(0.4), walled(300, 1.1)},
          {"lbfgs in a box", boxed_lbfgs(1), in_small_box(valley(5001))},
          {"lbfgs in a box, large rate", boxed_lbfgs(30), in_small_box(rosenbrock(301))},
          {"lbfgs without line search", lbfgs_without_search(1), valley(300)},
          {"lbfgs without line search, against a wall", lbfgs_without_search(300), walled(300, 2)},
          {"average of adam", wrapped(adam(0.5, 3)), valley(300)},
          {"average of adam that goes back", wrapped(boxed_adam(0.4)), walled(300, 1.1)},
          {"average of lbfgs in a box", wrapped(boxed_lbfgs(1)), in_small_box(valley(300))}};
}

constexpr int steps = 16;

}  // namespace

TEST_CASE("The cases hold what they are for: restarts, full histories, long line searches, an end") {
  std::map<std::string, int> reasons;
  int most = 0;
  for (const Case& c : cases()) {
    Caller caller(c.make, c.problem);
    for (const Outcome& outcome : follow(caller, steps)) {
      ++reasons[outcome.result.reason];
      most = std::max(most, outcome.result.evaluations);
    }
  }
  CHECK(reasons.count("the line search found nothing lower; the history was forgotten") == 1);
  CHECK(reasons.count("the history no longer points downhill and was forgotten") == 1);
  CHECK(reasons.count("converged: the gradient is zero within tolerance") == 1);
  CHECK(most >= 4);
  CHECK(std::any_of(reasons.begin(), reasons.end(), [](const auto& reason) {
    return reason.first.find("back to the last picture") != std::string::npos;
  }));
  CHECK(std::any_of(reasons.begin(), reasons.end(), [](const auto& reason) {
    return reason.first.find("a shorter one") != std::string::npos;
  }));
}

TEST_CASE("A run that is handed on after any step goes on to the same bits") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Caller whole(c.make, c.problem);
    const std::vector<Outcome> expected = follow(whole, steps);
    for (std::size_t n = 0; n <= expected.size(); ++n) {
      CAPTURE(n);
      Caller first(c.make, c.problem);
      for (std::size_t i = 0; i < n; ++i) first.step();
      const std::unique_ptr<Caller> second = first.handed_on();
      CHECK(second->method->known_evaluation() == first.method->known_evaluation());
      std::fill(first.x.begin(), first.x.end(), NAN);
      for (std::size_t i = n; i < expected.size(); ++i) {
        const Outcome now = outcome_of(*second);
        REQUIRE(same_outcome(now, expected[i]));
        REQUIRE(now.result.evaluation == expected[i].result.evaluation);
        REQUIRE(now.result.evaluations == expected[i].result.evaluations);
      }
    }
  }
}

TEST_CASE("A step left by an exception in any of its evaluations is as if it had not begun") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Caller whole(c.make, c.problem);
    const std::vector<Outcome> expected = follow(whole, steps);
    for (std::size_t n = 0; n < expected.size(); ++n)
      for (int stop_at = 0; stop_at < expected[n].result.evaluations; ++stop_at) {
        CAPTURE(n);
        CAPTURE(stop_at);
        Caller caller(c.make, c.problem);
        for (std::size_t i = 0; i < n; ++i) caller.step();
        const std::vector<float> x = caller.x, gradient = caller.gradient;
        const bool gradient_counts = caller.method->known_evaluation() >= 0;
        REQUIRE_THROWS_AS(caller.step(stop_at), Interruption);
        caller.method->rewind(caller.x, caller.gradient);
        REQUIRE(same_bits(caller.x, x));
        if (gradient_counts) REQUIRE(same_bits(caller.gradient, gradient));
        // Interrupted once more, then by way of other memory.
        if (stop_at > 0) {
          REQUIRE_THROWS_AS(caller.step(0), Interruption);
          caller.method->rewind(caller.x, caller.gradient);
        }
        const std::unique_ptr<Caller> other = caller.handed_on();
        for (std::size_t i = n; i < expected.size(); ++i)
          REQUIRE(same_outcome(outcome_of(*other), expected[i]));
      }
  }
}

TEST_CASE("A step names the evaluation that found its loss, which may be an earlier step's") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Caller caller(c.make, c.problem);
    for (int i = 0; i < steps; ++i) {
      CAPTURE(i);
      const std::vector<float> start = caller.x;
      const std::int64_t known = caller.method->known_evaluation();
      const std::int64_t before = caller.evaluations;
      const StepResult result = caller.step();
      CHECK(caller.evaluations == before + result.evaluations);
      CHECK(result.evaluation == (known >= 0 ? known : before));
      CHECK(same_bits(caller.evaluated_at.at(result.evaluation), start));
      if (result.stopped) break;
    }
  }
}

TEST_CASE("A state is not handed out in the middle of a step that was left") {
  Caller caller(lbfgs(3, 1), valley(300));
  CHECK_THROWS_AS(caller.step(1), Interruption);
  CHECK_THROWS_AS(caller.method->save_state(), std::logic_error);
  caller.method->rewind(caller.x, caller.gradient);
  CHECK_NOTHROW(caller.method->save_state());
}

TEST_CASE("A state of another method, size or history is refused") {
  Caller adam_run(adam(1, 0), valley(300)), lbfgs_run(lbfgs(3, 1), valley(300));
  Caller longer(lbfgs(4, 1), valley(300)), larger(lbfgs(3, 1), valley(301));
  const OptimizerState saved = lbfgs_run.method->save_state();
  CHECK_NOTHROW(lbfgs_run.method->restore_state(saved));
  for (Caller* other : {&adam_run, &longer, &larger})
    CHECK_THROWS_AS(other->method->restore_state(saved), std::invalid_argument);
  CHECK_THROWS_WITH_AS(adam_run.method->restore_state(saved),
                       "the saved state is 'lbfgs 1, 300 elements, history 3'; this run needs 'adam 2, 300 "
                       "elements'",
                       std::invalid_argument);
}

TEST_CASE("A damaged state is refused") {
  Caller run(lbfgs(3, 1), valley(300));
  for (int i = 0; i < 5; ++i) run.step();
  const OptimizerState saved = run.method->save_state();
  const auto refused = [&](auto damage) {
    OptimizerState damaged = saved;
    damage(damaged);
    Caller other(lbfgs(3, 1), valley(300));
    CHECK_THROWS_AS(other.method->restore_state(damaged), std::invalid_argument);
  };
  refused([](OptimizerState& s) { s.numbers.pop_back(); });
  refused([](OptimizerState& s) { s.numbers.push_back(0); });
  refused([](OptimizerState& s) { s.counts.pop_back(); });
  refused([](OptimizerState& s) { s.counts.push_back(0); });
  for (std::size_t i = 0; i < saved.counts.size(); ++i) refused([i](OptimizerState& s) { s.counts[i] = -2; });
  refused([](OptimizerState& s) { s.counts[s.counts.size() - 1] = 4; });  // pairs of a history of 3
}
