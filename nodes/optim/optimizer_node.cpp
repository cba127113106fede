// Optimizer: the canvas, and what moves it.
#include <algorithm>
#include <initializer_list>

#include "framework/devices/cpu/channel_affine.h"
#include "framework/graph/lower.h"
#include "framework/graph/unused_parameter.h"
#include "nodes/image/resize.h"
#include "nodes/optim/method.h"
#include "nodes/optim/optim_nodes.h"

namespace gramflow {

enum class Method { adam, lbfgs };
inline auto enum_names(Method) {
  return std::vector<std::pair<std::string, Method>>{{"adam", Method::adam}, {"lbfgs", Method::lbfgs}};
}

namespace {

struct DecayParameters {
  double factor = 1;
  std::int64_t every = 0;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, DecayParameters& parameters) {
  visitor("factor", parameters.factor, "what the learning rate is multiplied by", required(), more_than(0.0));
  visitor("every", parameters.every, "after how many iterations, again and again", required(), at_least(1));
}

/// For recipes that any method may be chosen for.
struct RateByMethod {
  std::optional<double> adam;
  std::optional<double> lbfgs;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, RateByMethod& parameters) {
  visitor("adam", parameters.adam, "with adam", more_than(0.0));
  visitor("lbfgs", parameters.lbfgs, "with lbfgs", more_than(0.0));
}

}  // namespace

/// One number for any method, or one for each.
template <>
struct ParameterType<RateByMethod> {
  static void describe(Field& field) {
    field.type = "number or {adam: ..., lbfgs: ...}";
    field.json_schema =
        R"("anyOf":[{"type":"number"},{"type":"object","additionalProperties":false,"properties":)"
        R"({"adam":{"type":"number","exclusiveMinimum":0},"lbfgs":{"type":"number","exclusiveMinimum":0}}}])";
  }
  static bool decode(const Value& value, RateByMethod& rates, const DecodeContext& context) {
    if (!context.readable(value)) return false;
    if (const Value::Map* map = value.map()) {
      const std::size_t errors = context.diagnostics.error_count();
      schema_detail::Decoder decoder(*map, context.name + ".", value.span, "'" + context.name + "'",
                                     context.diagnostics);
      visit_parameters(decoder, rates);
      decoder.finish({});
      return context.diagnostics.error_count() == errors;
    }
    double rate = 0;
    if (!decode_number(value, context, rate)) return false;
    rates = {rate, rate};
    return true;
  }
  static std::string text(const RateByMethod&) { return ""; }
};

namespace {

struct OptimizerParameters {
  Method method = Method::adam;
  std::int64_t iterations = 300;
  std::int64_t first_iteration = 0;
  RateByMethod learning_rate;
  std::optional<DecayParameters> decay;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  int history = 10;
  int max_evaluations = 25;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, OptimizerParameters& parameters) {
  visitor("method", parameters.method,
          "adam: many cheap steps; lbfgs: quasi-Newton with a strong Wolfe line search");
  visitor("iterations", parameters.iterations, "how many steps to make at most", at_least(0),
          at_most(10000000));
  visitor("first_iteration", parameters.first_iteration,
          "what {iteration} and 'every' of a Save count from, for an optimiser that goes on from another's "
          "picture",
          at_least(0), at_most(1000000000));
  visitor("learning_rate", parameters.learning_rate,
          "size of a step, or one for each method: {adam: 0.1, lbfgs: 1}; default 0.02 for adam, 1 for lbfgs",
          more_than(0.0));
  visitor("decay", parameters.decay, "adam: makes the learning rate smaller in steps");
  visitor("beta1", parameters.beta1, "adam: memory of the gradient's mean", at_least(0.0), less_than(1.0));
  visitor("beta2", parameters.beta2, "adam: memory of the gradient's square", at_least(0.0), less_than(1.0));
  visitor("epsilon", parameters.epsilon, "adam: keeps the division finite", more_than(0.0));
  visitor("history", parameters.history,
          "lbfgs: how many past steps shape the next; each costs memory of two canvases", at_least(1),
          at_most(200));
  visitor("max_evaluations", parameters.max_evaluations, "lbfgs: evaluations in one line search at most",
          at_least(1), at_most(1000));
}

std::function<std::unique_ptr<OptimizationMethod>()> method_maker(const OptimizerParameters& parameters) {
  if (parameters.method == Method::adam) {
    AdamOptions options;
    options.learning_rate = parameters.learning_rate.adam.value_or(0.02);
    options.beta1 = parameters.beta1;
    options.beta2 = parameters.beta2;
    options.epsilon = parameters.epsilon;
    if (parameters.decay) {
      options.decay_factor = parameters.decay->factor;
      options.decay_every = parameters.decay->every;
    }
    return [options] { return make_adam(options); };
  }
  LbfgsOptions options;
  options.learning_rate = parameters.learning_rate.lbfgs.value_or(1.0);
  options.history = parameters.history;
  options.max_evaluations = parameters.max_evaluations;
  return [options] { return make_lbfgs(options); };
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

void warn_of_unused(LowerContext& context, Method method) {
  if (method == Method::lbfgs)
    warn_unused_parameter(context, "decay", "method",
                          "'decay' has no effect on lbfgs, whose line search finds its own steps");
  const auto warn = [&](std::initializer_list<const char*> keys, const char* owner, const char* chosen) {
    for (const char* key : keys)
      warn_unused_parameter(
          context, key, "method",
          std::string("'") + key + "' belongs to " + owner + " and has no effect on " + chosen);
  };
  if (method == Method::lbfgs) warn({"beta1", "beta2", "epsilon"}, "adam", "lbfgs");
  if (method == Method::adam) warn({"history", "max_evaluations"}, "lbfgs", "adam");
}

void lower_optimizer(LowerContext& context) {
  const auto& parameters = context.parameters<OptimizerParameters>();
  warn_of_unused(context, parameters.method);
  const PortValue& start = *context.input("start");
  Optimization optimization;
  optimization.node = context.node().id();
  optimization.span = context.node().entry.id_span;
  optimization.iterations = parameters.iterations;
  optimization.first_iteration = parameters.first_iteration;
  optimization.method = parameters.method == Method::adam ? "adam" : "lbfgs";
  optimization.make_method = method_maker(parameters);
  optimization.space = start.space;
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
  type.formula = "adam: Kingma and Ba 2015; lbfgs: Nocedal and Wright, algorithms 7.4 and 3.5";
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
