#include "framework/exec/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>

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
TensorView Session::gradient() const { return loop_ < 0 ? TensorView{} : prepared_.view(current().gradient); }

void Session::run_set(int set, int section) {
  if (before_section) before_section(section);
  executor_->run(set);
}

void Session::run_straight(int section, bool effects, bool rest) {
  const Program& program = plan().program;
  const std::vector<int> operations = needed_operations(
      program, section, [effects](const Operation&) { return effects; },
      rest ? read_after(program, section) : std::vector<bool>());
  if (!operations.empty()) run_set(executor_->add(operations), section);
}

bool Session::begin(const std::vector<Canvas>& carried) {
  const auto next = static_cast<std::size_t>(loop_ + 1);
  if (next == plan().program.loops.size()) return false;
  prepared_.stop = stop_;
  run_straight(straight_section(loop_ + 1), stage_.last || showing_, true);
  ++loop_;
  if (own_memory_) own_memory_->release_before(loop_section(loop_));
  start_canvas(carried);
  loop_set_ = executor_->add(operations_of(plan().sections[static_cast<std::size_t>(loop_section(loop_))]));
  method_ = optimization().make_method();
  const std::int64_t elements = canvas().shape().elements();
  method_->bind(elements, prepared_.view(current().state).floats());
  scratch_.resize(cpu::reduction_scratch(elements));
  set_iteration(showing_ ? stage_.run_state->done[current().node] : 0);
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
  return true;
}

/// What an earlier stage hands over counts where an optimiser begins of its own; one that goes on from
/// another's picture does so in every stage.
void Session::set_iteration(std::int64_t done) {
  iteration_ = done;
  stage_.run_state->iteration = optimization().first_iteration + done;
  stage_.run_state->done[current().node] = done;
}

void Session::start_canvas(const std::vector<Canvas>& carried) {
  const auto from = std::find_if(carried.begin(), carried.end(),
                                 [&](const Canvas& candidate) { return candidate.node == current().node; });
  if (from != carried.end() &&
      (showing_ || !starts_from_canvas(plan().program, static_cast<std::size_t>(loop_))))
    take_carried(*from);
  else
    cpu::copy(prepared_.view(current().start).floats(), canvas().floats());
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
  for (const LossTerm& loss : current().losses) {
    auto term =
        std::find_if(terms_.begin(), terms_.end(), [&](const auto& t) { return t.node == loss.node; });
    if (term == terms_.end()) term = terms_.insert(terms_.end(), {loss.node, 0, {}});
    if (!loss.layer.empty()) term->layers.emplace_back(loss.layer, 0.0);
    scalars_.push_back({static_cast<std::size_t>(term - terms_.begin()),
                        loss.layer.empty() ? -1 : static_cast<int>(term->layers.size()) - 1,
                        prepared_.view(loss.tensor).f64()});
  }
}

bool Session::running() const { return loop_ >= 0 && !stopped_ && iteration_ < optimization().iterations; }

double Session::evaluate_canvas() {
  run_set(loop_set_, loop_section(loop_));
  double total = 0;
  for (const LossScalar& scalar : scalars_) total += *scalar.value;
  return total;
}

Evaluated Session::evaluate() {
  const double total = evaluate_canvas();
  if (evaluations_kept_ == evaluations_.size())
    evaluations_.push_back({-1, 0, std::vector<double>(scalars_.size())});
  KeptEvaluation& now = evaluations_[evaluations_kept_++];
  now.index = evaluation_count_++;
  for (std::size_t i = 0; i < scalars_.size(); ++i) now.scalars[i] = *scalars_[i].value;
  now.gradient_norm = std::sqrt(cpu::dot(gradient().floats(), gradient().floats(), scratch_.data()));
  return {total, now.index};
}

/// Puts what an evaluation found into the report, and forgets the ones before it: a method goes on from the
/// point it reported, or from a later one.
void Session::recall(std::int64_t index) {
  const auto end = evaluations_.begin() + static_cast<std::ptrdiff_t>(evaluations_kept_);
  const auto found = std::find_if(evaluations_.begin(), end,
                                  [index](const KeptEvaluation& candidate) { return candidate.index == index; });
  if (found == end) throw std::logic_error("the method reports an evaluation that it cannot know");
  for (auto& term : terms_) term.value = 0;
  for (std::size_t i = 0; i < scalars_.size(); ++i) {
    ReportedLoss& term = terms_[scalars_[i].term];
    term.value += found->scalars[i];
    if (scalars_[i].layer >= 0)
      term.layers[static_cast<std::size_t>(scalars_[i].layer)].second = found->scalars[i];
  }
  report_.gradient_norm = found->gradient_norm;
  evaluations_kept_ -= static_cast<std::size_t>(found - evaluations_.begin());
  std::rotate(evaluations_.begin(), found, end);
}

const IterationReport& Session::step() {
  const auto start = std::chrono::steady_clock::now();
  prepared_.stop = stop_;
  StepResult step;
  try {
    step = method_->step(iteration_, canvas().floats(), gradient().floats(), [this] { return evaluate(); });
  } catch (const Interrupted&) {
    method_->rewind(canvas().floats(), gradient().floats());
    throw;
  }
  recall(step.evaluation);
  report_.iteration = iteration_;
  report_.total = step.loss;
  report_.losses = terms_;
  report_.seconds = seconds_since(start);
  report_.evaluations = step.evaluations;
  stop_reason_ = step.stopped ? step.reason : "";
  note_ = step.restarted && !step.stopped ? step.reason : "";  // why it stopped is told once, at the end
  report_.note = note_;
  stopped_ = step.stopped;
  failed_ = step.failed;
  set_iteration(iteration_ + 1);
  return report_;
}

void Session::preview(const std::function<void(const std::string&)>& failed) {
  if (!running()) return;
  prepared_.stop = stop_;
  for (std::size_t i = 0; i < previews_.size(); ++i) {
    const Plan::Preview& preview = plan().previews[i];
    if (preview.loop != loop_ || stage_.run_state->iteration % preview.every != 0) continue;
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

void Session::finish(bool effects) {
  prepared_.stop = plan().program.loops.empty() ? stop_ : nullptr;
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
  state.stopped = stopped_;
  state.stop_reason = stop_reason_;
  state.method = method_->save_state();
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
  method_->restore_state(state.method);
  set_iteration(state.iteration);
  stopped_ = state.stopped;
  stop_reason_ = state.stop_reason;
  evaluation_count_ = state.evaluation_count;
  evaluations_kept_ = state.evaluations.size();
  while (evaluations_.size() < evaluations_kept_)
    evaluations_.push_back({-1, 0, std::vector<double>(scalars_.size())});
  std::copy(state.evaluations.begin(), state.evaluations.end(), evaluations_.begin());
}

void Session::adopt(std::span<const float> values, std::int64_t iterations) {
  if (values.size() != canvas().floats().size()) throw std::invalid_argument("the canvas has another size");
  std::copy(values.begin(), values.end(), canvas().floats().begin());
  set_iteration(iterations);
  stopped_ = true;
}

Canvas Session::copy_canvas() const {
  const TensorView from = canvas();
  return {current().node, {from.floats().begin(), from.floats().end()}, from.shape(), optimization().space};
}

}  // namespace gramflow
