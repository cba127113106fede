// Optimizer: the canvas, and what moves it.
#include <algorithm>
#include <initializer_list>

#include "framework/devices/cpu/channel_affine.h"
#include "framework/devices/cpu/vectors.h"
#include "framework/graph/lower.h"
#include "framework/graph/unused_parameter.h"
#include "nodes/image/resize.h"
#include "nodes/optim/method.h"
#include "nodes/optim/optim_nodes.h"
#include "nodes/optim/rate_parameters.h"

namespace gramflow {

enum class Method { adam, lbfgs };
inline auto enum_names(Method) {
  return std::vector<std::pair<std::string, Method>>{{"adam", Method::adam}, {"lbfgs", Method::lbfgs}};
}

enum class LineSearch { none, strong_wolfe };
inline auto enum_names(LineSearch) {
  return std::vector<std::pair<std::string, LineSearch>>{{"strong-wolfe", LineSearch::strong_wolfe},
                                                         {"none", LineSearch::none}};
}

enum class Carry { canvas, moments };
inline auto enum_names(Carry) {
  return std::vector<std::pair<std::string, Carry>>{{"canvas", Carry::canvas}, {"moments", Carry::moments}};
}

namespace {

struct StopParameters {
  double change = 1e-3;
  std::int64_t over = 20;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, StopParameters& parameters) {
  visitor("change", parameters.change,
          "stop when the mean loss of the last 'over' iterations is not lower than that of as many before by "
          "more "
          "than this share of it",
          at_least(0.0), less_than(1.0));
  visitor("over", parameters.over, "iterations in each of the two means", at_least(1), at_most(100000));
}

struct OptimizerParameters {
  Method method = Method::adam;
  std::int64_t iterations = 300;
  std::int64_t first_iteration = 0;
  bool clamp = true;
  RateByMethod learning_rate;
  std::optional<DecayParameters> decay;
  std::int64_t warm_up = 0;
  double average = 0;
  std::optional<StopParameters> stop;
  double beta1 = 0.9;
  double beta2 = 0.999;
  AdamNumber epsilon;
  Carry carry = Carry::canvas;
  int history = 10;
  LineSearch line_search = LineSearch::strong_wolfe;
  int max_evaluations = 25;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, OptimizerParameters& parameters) {
  visitor("method", parameters.method, "adam: many cheap steps; lbfgs: quasi-Newton with a line search");
  visitor("iterations", parameters.iterations, "how many steps to make at most", at_least(0),
          at_most(10000000));
  visitor("first_iteration", parameters.first_iteration,
          "what {iteration} and 'every' of a Save count from, for an optimiser that goes on from another's "
          "picture",
          at_least(0), at_most(1000000000));
  visitor(
      "clamp", parameters.clamp,
      "keeps the picture between black and white in every step, so that what is optimised is what is saved; "
      "false: values may leave that range, and Save cuts them off");
  visitor("learning_rate", parameters.learning_rate,
          "size of a step, or one for each method: {adam: 0.1, lbfgs: 1}; default 0.02 for adam, 1 for lbfgs",
          more_than(0.0));
  visitor(
      "decay", parameters.decay,
      "makes the learning rate smaller: in steps, {factor: 0.8, every: 50}, or along half a cosine, {cosine: "
      "0.1}; not for lbfgs with a line search");
  visitor("warm_up", parameters.warm_up,
          "iterations over which the learning rate grows to its size; not for lbfgs with a line search",
          at_least(0), at_most(10000000));
  visitor("average", parameters.average,
          "0.99: the picture is the average over all iterations, each counting 0.99 times as much as the "
          "next; 0: it is "
          "the last one; costs memory of two canvases",
          at_least(0.0), less_than(1.0));
  visitor("stop", parameters.stop, "ends before 'iterations' when the loss no longer falls");
  visitor("beta1", parameters.beta1, "adam: memory of the gradient's mean", at_least(0.0), less_than(1.0));
  visitor("beta2", parameters.beta2, "adam: memory of the gradient's square", at_least(0.0), less_than(1.0));
  visitor("epsilon", parameters.epsilon,
          "adam: keeps the division finite; a number is PyTorch's, beside a gradient of any unit; default: "
          "1e-5 times "
          "the root mean square of the gradient, so that the unit of the loss does not matter",
          more_than(0.0));
  visitor("carry", parameters.carry,
          "adam that starts from another optimiser's picture: canvas takes the picture alone; moments also "
          "takes over "
          "adam's memory of the gradient, resized");
  visitor("history", parameters.history,
          "lbfgs: how many past steps shape the next; each costs memory of two canvases", at_least(1),
          at_most(200));
  visitor("line_search", parameters.line_search,
          "lbfgs: strong-wolfe looks for a step that lowers the loss; none makes every step, of the learning "
          "rate's "
          "length, the first at most 1 / sum |gradient| times it");
  visitor("max_evaluations", parameters.max_evaluations, "lbfgs: evaluations in one line search at most",
          at_least(1), at_most(1000));
}

LearningRate learning_rate(const OptimizerParameters& parameters, double rate) {
  LearningRate result = rate;
  result.warm_up = parameters.warm_up;
  if (!parameters.decay) return result;
  if (const std::optional<StepDecay>& steps = parameters.decay->steps) {
    result.decay = LearningRate::Decay::steps;
    result.factor = steps->factor;
    result.every = steps->every;
  }
  if (const std::optional<CosineDecay>& cosine = parameters.decay->cosine) {
    result.decay = LearningRate::Decay::cosine;
    result.to = cosine->cosine;
    result.iterations = std::max<std::int64_t>(1, parameters.iterations - 1);
  }
  return result;
}

std::unique_ptr<OptimizationMethod> plain_method(const OptimizerParameters& parameters,
                                                 const std::optional<cpu::Box>& box) {
  if (parameters.method == Method::adam) {
    AdamOptions options;
    options.learning_rate = learning_rate(parameters, parameters.learning_rate.adam.value_or(0.02));
    options.beta1 = parameters.beta1;
    options.beta2 = parameters.beta2;
    options.epsilon = parameters.epsilon.adam;
    options.box = box;
    return make_adam(options);
  }
  LbfgsOptions options;
  options.learning_rate = learning_rate(parameters, parameters.learning_rate.lbfgs.value_or(1.0));
  options.history = parameters.history;
  options.line_search = parameters.line_search != LineSearch::none;
  options.max_evaluations = parameters.max_evaluations;
  options.box = box;
  return make_lbfgs(options);
}

std::function<std::unique_ptr<OptimizationMethod>()> method_maker(const OptimizerParameters& parameters,
                                                                  const InputSpace& space) {
  std::optional<cpu::Box> box;
  if (parameters.clamp) box = {space.low, space.high};
  return [parameters, box] {
    std::unique_ptr<OptimizationMethod> method = plain_method(parameters, box);
    if (parameters.average > 0) method = averaged(std::move(method), parameters.average);
    if (parameters.stop)
      method = stopping_on_plateau(std::move(method), {parameters.stop->change, parameters.stop->over});
    return method;
  };
}

/// Adam's moments for a canvas of another size. The gradient of a mean loss with respect to one pixel falls with
/// the number of pixels: with r = old area / new area the first moment is multiplied by r, the second by r^2.
void hand_on_moments(const Moments& from, Shape from_shape, OptimizationMethod& to, Shape to_shape) {
  const std::optional<Moments> target = to.moments();
  if (!target) return;
  const double r = static_cast<double>(from_shape.width * from_shape.height) /
                   static_cast<double>(to_shape.width * to_shape.height);
  const auto resize = [&](std::span<const float> old, std::span<float> now, ResizeFilter filter,
                          double factor) {
    const Resizer resizer(picture_size(from_shape), picture_size(to_shape), filter);
    std::vector<float> scratch(resizer.scratch_floats());
    resizer.run(old, now, scratch);
    cpu::axpby(0, now, factor, now);
  };
  resize(from.first, target->first, ResizeFilter::cubic, r);
  resize(from.second, target->second, ResizeFilter::triangle, r * r);  // never negative
  to.go_on_from({{}, {}, from.steps, from.mean_square * r * r, from.gradient_scale});
}

/// What the stage before made, brought back into the range of pictures and to another size. Resizing is
/// linear, so it may as well be done in the numbers of a network, as long as both stages mean the same one.
void carry_canvas(const InputSpace& to_space, const std::vector<float>& from, Shape from_shape,
                  const InputSpace& from_space, TensorView to) {
  const Resizer resizer(picture_size(from_shape), picture_size(to.shape()));
  std::vector<float> clamped(from);
  for (std::size_t i = 0; i < clamped.size(); ++i)
    clamped[i] = std::clamp(clamped[i], from_space.low[i % 3], from_space.high[i % 3]);
  const auto convert = [](std::span<float> values, const ChannelMap& map) {
    cpu::channel_affine(map.source, map.factor, map.offset, values, values, false);
  };
  const bool same = to_space.convention == from_space.convention;
  if (!same) convert(clamped, from_space.to_picture);
  std::vector<float> scratch(resizer.scratch_floats());
  resizer.run(clamped, to.floats(), scratch);
  if (!same) convert(to.floats(), to_space.from_picture);
}

void warn_of_unused(LowerContext& context, const OptimizerParameters& parameters) {
  const auto warn = [&](std::initializer_list<const char*> keys, const char* chooser,
                        const std::string& why) {
    for (const char* key : keys)
      warn_unused_parameter(context, key, chooser, std::string("'") + key + "' " + why);
  };
  if (parameters.method == Method::adam) {
    warn({"history", "max_evaluations", "line_search"}, "method",
         "belongs to lbfgs and has no effect on adam");
    return;
  }
  warn({"beta1", "beta2", "carry"}, "method", "belongs to adam and has no effect on lbfgs");
  const Value* epsilon = context.node().value_of("epsilon");  // {adam: ...} says so itself
  if (epsilon != nullptr && epsilon->map() == nullptr)
    warn({"epsilon"}, "method", "belongs to adam and has no effect on lbfgs");
  if (parameters.line_search == LineSearch::none)
    warn({"max_evaluations"}, "line_search", "has no effect without a line search");
  else
    warn({"decay", "warm_up"}, "method", "has no effect on lbfgs, whose line search finds its own steps");
}

void lower_optimizer(LowerContext& context) {
  const auto& parameters = context.parameters<OptimizerParameters>();
  warn_of_unused(context, parameters);
  const PortValue& start = *context.input("start");
  Optimization optimization;
  optimization.node = context.node().id();
  optimization.span = context.node().entry.id_span;
  optimization.iterations = parameters.iterations;
  optimization.first_iteration = parameters.first_iteration;
  optimization.method = parameters.method == Method::adam ? "adam" : "lbfgs";
  optimization.make_method = method_maker(parameters, start.space);
  optimization.space = start.space;
  optimization.clamp = parameters.clamp;
  optimization.stands_still = parameters.method == Method::lbfgs;
  optimization.wants_moments = parameters.method == Method::adam && parameters.carry == Carry::moments;
  optimization.carry_moments = hand_on_moments;
  optimization.carry = [space = start.space](const std::vector<float>& from, Shape shape,
                                             const InputSpace& from_space, TensorView to) {
    carry_canvas(space, from, shape, from_space, to);
  };
  PortValue canvas;
  canvas.tensor = context.optimize(start.tensor, std::move(optimization));
  canvas.space = start.space;
  context.set_output("canvas", canvas);
  context.set_output("", canvas);
}

}  // namespace

NodeType optimizer_node() {
  NodeType type;
  type.name = "Optimizer";
  type.theme = "optim";
  type.summary = "Changes a picture step by step so that the sum of the losses gets small.";
  type.formula =
      "adam: Kingma and Ba 2015; lbfgs: Nocedal and Wright, algorithms 7.4 and 3.5, projected where clamp is "
      "true. "
      "average: a_k = average a_(k-1) + (1 - average) x_k from the start x_0 on; the picture is a_k / (1 - "
      "average^(k + 1))";
  type.inputs = {{"start",
                  PortKind::network_input,
                  "the picture to start from, or a network input",
                  true,
                  false,
                  {PortKind::picture}},
                 {"loss", PortKind::loss, "what to make small; the losses are added up", true, true}};
  type.outputs = {
      {"", PortKind::network_input, "the finished picture, of the kind that 'start' is", false, "start"},
      {"canvas", PortKind::network_input, "the picture while it is being optimised: the input of losses",
       true, "start"}};
  type.parameters = ParameterSchema::of<OptimizerParameters>();
  type.optimizer = true;
  type.lower = lower_optimizer;
  return type;
}

}  // namespace gramflow
