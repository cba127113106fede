#include "framework/exec/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "framework/base/error.h"
#include "framework/compile/needed.h"
#include "framework/devices/cpu/vectors.h"

namespace gramflow {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<int> operations_of(const Plan::Range& range) {
  std::vector<int> operations;
  for (std::size_t i = range.begin; i < range.end; ++i) operations.push_back(static_cast<int>(i));
  return operations;
}

/// A canvas that is what the method has to show, for as long as this lives.
class Shown {
 public:
  Shown(OptimizationMethod& method, std::span<float> x) : method_(method), x_(x) { method_.show(x_); }
  ~Shown() { method_.conceal(x_); }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;

 private:
  OptimizationMethod& method_;
  std::span<float> x_;
};

}  // namespace

Session::Session(CompiledStage& stage, const SessionOptions& options)
    : stage_(stage),
      own_memory_(options.externals.empty() ? std::make_unique<ExternalMemory>(stage.plan) : nullptr),
      prepared_(stage.plan, own_memory_ ? own_memory_->pointers() : options.externals, options.stop),
      executor_(make_executor(options.executor, prepared_)),
      stop_(options.stop) {
  for (const Plan::Preview& preview : plan().previews)
    previews_.push_back(executor_->add(preview.operations));
  prepared_.trace = options.trace;
}

Session::~Session() = default;

const Loop& Session::current() const { return plan().program.loops[static_cast<std::size_t>(loop_)]; }
const Optimization& Session::optimization() const {
  return stage_.optimizations[static_cast<std::size_t>(loop_)];
}
TensorView Session::canvas() const { return loop_ < 0 ? TensorView{} : prepared_.view(current().canvas); }
std::uint64_t Session::canvas_number() const { return cpu::checksum(canvas().floats()); }
TensorView Session::gradient() const { return loop_ < 0 ? TensorView{} : prepared_.view(current().gradient); }

void Session::run_set(int set, int section) {
  if (loop_ >= 0) prepared_.refresh(current().canvas);
  if (before_section) before_section(section);
  executor_->run(set);
}

void Session::run_straight(int section, const std::function<bool(const Operation&)>& effects, bool rest) {
  const Program& program = plan().program;
  const std::vector<int> operations =
      needed_operations(program, section, effects, rest ? read_after(program, section) : std::vector<bool>());
  if (!operations.empty()) run_set(executor_->add(operations), section);
}

bool Session::begin(const std::vector<Canvas>& carried) {
  const auto next = static_cast<std::size_t>(loop_ + 1);
  if (next == plan().program.loops.size()) return false;
  prepared_.stop = stop_;
  const bool all = stage_.last || showing_;
  run_straight(
      straight_section(loop_ + 1),
      [all](const Operation& operation) { return all || operation.at_stage_end; }, true);
  ++loop_;
  if (own_memory_) own_memory_->release_before(loop_section(loop_));
  start_canvas(carried);
  loop_set_ = executor_->add(operations_of(plan().sections[static_cast<std::size_t>(loop_section(loop_))]));
  const std::int64_t elements = canvas().shape().elements();
  methods_.push_back(optimization().make_method());
  method().bind(elements, prepared_.view(current().state).floats());
  carry_moments();
  scratch_.resize(std::max(cpu::reduction_scratch(elements), cpu::box_scratch(elements)));
  concluded_ = false;
  const std::int64_t done = showing_ ? stage_.run_state->done[current().node] : 0;
  set_iteration(done, done);
  stage_.run_state->stands_still = optimization().stands_still;
  stage_.run_state->loss.clear();
  words_.emplace_back();
  stopped_ = failed_ = false;
  stop_reason_.clear();
  group_losses();
  evaluations_.assign(64, {-1, 0, std::vector<double>(scalars_.size())});
  evaluations_kept_ = 0;
  evaluation_count_ = 0;
  report_ = {};
  report_.stage = stage_.number;
  report_.loop = loop_;
  report_.optimizer = current().node;
  report_.iterations = optimization().iterations;
  result_ = {};
  result_.stage = stage_.number;
  result_.loop = loop_;
  result_.optimizer = current().node;
  result_.clipped_at_start = cpu::box_shares(box(), canvas().floats(), scratch_.data()).at_bounds;
  return true;
}

void Session::carry_moments() {
  const int from = current().moments_from;
  if (from < 0) return;
  const std::optional<Moments> moments = methods_[static_cast<std::size_t>(from)]->moments();
  const Loop& other = plan().program.loops[static_cast<std::size_t>(from)];
  if (moments)
    optimization().carry_moments(*moments, prepared_.view(other.canvas).shape(), method(), canvas().shape());
}

void Session::set_iteration(std::int64_t done, std::int64_t steps) {
  iteration_ = done;
  steps_ = steps;
  stage_.run_state->iteration = optimization().first_iteration + steps;
  stage_.run_state->done[current().node] = steps;
}

/// What an earlier stage hands over counts where an optimiser begins of its own; one that goes on from
/// another's picture does so in every stage.
void Session::start_canvas(const std::vector<Canvas>& carried) {
  const auto from = std::find_if(carried.begin(), carried.end(),
                                 [&](const Canvas& candidate) { return candidate.node == current().node; });
  if (from != carried.end() &&
      (showing_ || !starts_from_canvas(plan().program, static_cast<std::size_t>(loop_))))
    take_carried(*from);
  else
    prepared_.read(current().start, canvas().data);
  if (optimization().clamp) cpu::clamp(box(), canvas().floats());
}

void Session::take_carried(const Canvas& from) {
  if (showing_ && from.shape == canvas().shape())
    std::copy(from.values.begin(), from.values.end(), canvas().floats().begin());
  else
    optimization().carry(from.values, from.shape, from.space, canvas());
}

void Session::group_losses() {
  terms_.clear();
  scalars_.clear();
  std::vector<TensorId> tensors;
  for (const LossTerm& loss : current().losses) {
    auto term =
        std::find_if(terms_.begin(), terms_.end(), [&](const auto& t) { return t.node == loss.node; });
    if (term == terms_.end()) term = terms_.insert(terms_.end(), {loss.node, 0, {}});
    if (!loss.layer.empty()) term->layers.emplace_back(loss.layer, 0.0);
    scalars_.push_back({static_cast<std::size_t>(term - terms_.begin()),
                        loss.layer.empty() ? -1 : static_cast<int>(term->layers.size()) - 1});
    tensors.push_back(loss.tensor);
  }
  scalar_memory_ = PreparedPlan::Scalars(prepared_, tensors);
  scalar_values_.assign(scalars_.size(), 0);
}

bool Session::running() const {
  return loop_ >= 0 && !concluded_ && !stopped_ && iteration_ < optimization().iterations;
}

double Session::evaluate_canvas() {
  run_set(loop_set_, loop_section(loop_));
  prepared_.fetch(current().gradient);
  scalar_values_ = scalar_memory_.read();
  double total = 0;
  for (const double value : scalar_values_) total += value;
  return total;
}

Evaluated Session::evaluate() {
  const double total = evaluate_canvas();
  if (evaluations_kept_ == evaluations_.size())
    evaluations_.push_back({-1, 0, std::vector<double>(scalars_.size())});
  KeptEvaluation& now = evaluations_[evaluations_kept_++];
  now.index = evaluation_count_++;
  for (std::size_t i = 0; i < scalars_.size(); ++i) now.scalars[i] = scalar_values_[i];
  now.gradient_norm = std::sqrt(cpu::dot(gradient().floats(), gradient().floats(), scratch_.data()));
  return {total, now.index};
}

void Session::group_terms(const std::vector<double>& scalars) {
  for (auto& term : terms_) term.value = 0;
  for (std::size_t i = 0; i < scalars_.size(); ++i) {
    ReportedLoss& term = terms_[scalars_[i].term];
    term.value += scalars[i];
    if (scalars_[i].layer >= 0) term.layers[static_cast<std::size_t>(scalars_[i].layer)].second = scalars[i];
  }
}

/// Puts what an evaluation found into the report, and forgets the ones before it: a method goes on from the
/// point it reported, or from a later one.
void Session::recall(std::int64_t index) {
  const auto end = evaluations_.begin() + static_cast<std::ptrdiff_t>(evaluations_kept_);
  const auto found = std::find_if(evaluations_.begin(), end, [index](const KeptEvaluation& candidate) {
    return candidate.index == index;
  });
  if (found == end) throw std::logic_error("the method reports an evaluation that it cannot know");
  group_terms(found->scalars);
  report_.gradient_norm = found->gradient_norm;
  evaluations_kept_ -= static_cast<std::size_t>(found - evaluations_.begin());
  std::rotate(evaluations_.begin(), found, end);
}

const IterationReport& Session::step() {
  const auto start = std::chrono::steady_clock::now();
  prepared_.stop = stop_;
  StepResult step;
  try {
    step = method().step(iteration_, canvas().floats(), gradient().floats(), [this] { return evaluate(); });
  } catch (const Interrupted&) {
    method().rewind(canvas().floats(), gradient().floats());
    throw;
  }
  recall(step.evaluation);
  report_.iteration = iteration_;
  report_.total = step.loss;
  report_.losses = terms_;
  report_.seconds = seconds_since(start);
  report_.evaluations = step.evaluations;
  stop_reason_ = step.stopped ? step.reason : "";
  note_ = step.stopped ? "" : step.reason;  // why it stopped is told once, at the end
  if (iteration_ == 0) result_.start = step.loss;
  report_.note = note_;
  stopped_ = step.stopped;
  failed_ = step.failed;
  set_iteration(iteration_ + 1, steps_ + (step.moved || !step.stopped ? 1 : 0));
  return report_;
}

void Session::preview(const std::function<void(const std::string&)>& failed) {
  if (!running()) return;
  prepared_.stop = stop_;
  std::optional<Shown> shown;
  for (std::size_t i = 0; i < previews_.size(); ++i) {
    const Plan::Preview& preview = plan().previews[i];
    if (preview.loop != loop_ || stage_.run_state->iteration % preview.every != 0) continue;
    if (!shown) shown.emplace(method(), canvas().floats());
    stage_.run_state->preview = true;
    std::string problem;
    try {
      run_set(previews_[i], loop_section(loop_));
    } catch (const RunError& found) {
      problem = found.what();
    } catch (...) {
      stage_.run_state->preview = false;
      throw;
    }
    stage_.run_state->preview = false;
    if (!problem.empty()) failed(problem);
  }
}

const LoopResult& Session::conclude() {
  if (concluded_ && !result_.losses.empty()) return result_;
  const bool shown = concluded_;  // before a checkpoint: what it gave is found once more
  const std::span<float> x = canvas().floats();
  prepared_.stop = stop_;
  const auto show = [&] {
    method().show(x);
    if (optimization().clamp) cpu::clamp(box(), x);  // the average's rounding
  };
  if (!shown) show();
  concluded_ = true;
  result_.total = loss_in_range();
  if (!std::isfinite(result_.total)) {
    method().conceal(x);
    result_.went_back = method().go_back(x);
    show();
    if (result_.went_back) result_.total = loss_in_range();
  }
  result_.iterations = steps_;
  result_.clipped = cpu::box_shares(box(), x, scratch_.data()).at_bounds;
  if (iteration_ == 0) result_.start = result_.total;
  result_.losses = terms_;
  words_.back() = stage_.run_state->loss = in_words(result_);
  return result_;
}

/// Of the canvas with what lies outside cut off, as Save does it. Fills terms_; the gradient stays the last step's.
double Session::loss_in_range() {
  const std::span<float> x = canvas().floats();
  const bool outside = cpu::box_shares(box(), x, scratch_.data()).outside > 0;
  std::vector<float> kept;
  if (outside) {
    kept.assign(x.begin(), x.end());
    cpu::clamp(box(), x);
  }
  std::vector<double> scalars(scalars_.size());
  double total = 0;
  const std::int64_t known = method().known_evaluation();
  const auto end = evaluations_.begin() + static_cast<std::ptrdiff_t>(evaluations_kept_);
  const auto found = std::find_if(evaluations_.begin(), end, [known](const KeptEvaluation& candidate) {
    return candidate.index == known;
  });
  try {
    if (!outside && !method().shows_other() && known >= 0 && found != end) {
      scalars = found->scalars;
      for (const double scalar : scalars) total += scalar;
    } else {
      const std::vector<float> last(gradient().floats().begin(), gradient().floats().end());
      total = evaluate_canvas();
      cpu::copy(last, gradient().floats());
      for (std::size_t i = 0; i < scalars_.size(); ++i) scalars[i] = scalar_values_[i];
    }
  } catch (...) {
    if (outside) cpu::copy(kept, x);
    throw;
  }
  if (outside) cpu::copy(kept, x);
  group_terms(scalars);
  return total;
}

void Session::finish(bool all) {
  prepared_.stop = plan().program.loops.empty() ? stop_ : nullptr;
  const auto effects = [all](const Operation& operation) { return all || operation.at_stage_end; };
  if (loop_ < 0 || concluded_) return run_straight(straight_section(loop_ + 1), effects, false);
  const Shown shown(method(), canvas().floats());
  run_straight(straight_section(loop_ + 1), effects, false);
}

std::int64_t Session::iterations_done(int loop) const {
  const auto& done = stage_.run_state->done;
  const auto found = done.find(plan().program.loops[static_cast<std::size_t>(loop)].node);
  return found == done.end() ? 0 : found->second;
}

LoopState Session::save_loop() const {
  LoopState state;
  state.loop = loop_;
  if (loop_ < 0) return state;
  state.iteration = iteration_;
  state.steps = steps_;
  state.start = result_.start;
  state.clipped_at_start = result_.clipped_at_start;
  state.stopped = stopped_;
  state.concluded = concluded_;
  state.stop_reason = stop_reason_;
  state.method = method().save_state();
  state.evaluation_count = evaluation_count_;
  state.evaluations.assign(evaluations_.begin(),
                           evaluations_.begin() + static_cast<std::ptrdiff_t>(evaluations_kept_));
  return state;
}

std::vector<Session::Memory> Session::memory() const {
  std::vector<Memory> result;
  if (loop_ < 0) return result;
  for (const Plan::External& external : plan().externals) {
    if (external.first > loop_section(loop_) || external.last < loop_section(loop_)) continue;
    result.push_back({plan().program.tensors[static_cast<std::size_t>(external.tensor)].name,
                      prepared_.view(external.tensor).floats()});
  }
  return result;
}

void Session::restore_loop(const LoopState& state) {
  const bool fits = std::all_of(
      state.evaluations.begin(), state.evaluations.end(),
      [&](const KeptEvaluation& evaluation) { return evaluation.scalars.size() == scalars_.size(); });
  if (state.loop != loop_ || !fits) throw std::invalid_argument("the saved loop is another one");
  method().restore_state(state.method);
  set_iteration(state.iteration, state.steps);
  result_.start = state.start;
  result_.clipped_at_start = state.clipped_at_start;
  stopped_ = state.stopped;
  concluded_ = state.concluded;
  stop_reason_ = state.stop_reason;
  evaluation_count_ = state.evaluation_count;
  evaluations_kept_ = state.evaluations.size();
  while (evaluations_.size() < evaluations_kept_)
    evaluations_.push_back({-1, 0, std::vector<double>(scalars_.size())});
  std::copy(state.evaluations.begin(), state.evaluations.end(), evaluations_.begin());
}

void Session::adopt(std::span<const float> values, std::int64_t iterations, const std::string& words) {
  if (values.size() != canvas().floats().size()) throw std::invalid_argument("the canvas has another size");
  std::copy(values.begin(), values.end(), canvas().floats().begin());
  set_iteration(iterations, iterations);
  stopped_ = concluded_ = true;
  words_.back() = stage_.run_state->loss = words;
}

Canvas Session::copy_canvas() const {
  const TensorView from = canvas();
  std::optional<Shown> shown;
  if (!concluded_) shown.emplace(*methods_.back(), from.floats());
  return {current().node, {from.floats().begin(), from.floats().end()}, from.shape(), optimization().space};
}

}  // namespace gramflow
