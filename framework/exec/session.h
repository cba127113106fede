#pragma once
// One stage of a pipeline, driven by whoever holds it: an ordinary object between a compiled stage and an
// executor.
//
//   ThreadScope threads(stage.threads());
//   threads.execute([&] {
//     Session session(stage, {});
//     while (session.begin()) {          // what comes before the next loop; its canvas at its start
//       while (session.running()) {
//         report = session.step();       // one iteration
//         session.preview();             // what is due now
//       }
//       result = session.conclude();     // the canvas is now the finished picture
//     }
//     session.finish();                  // what comes after the last loop: the finished pictures
//   });
//
// All calls come from one thread, inside of one ThreadScope that is as wide as the stage was compiled for. It
// decides what runs; the executor computes.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/checkpoint/checkpoint_head.h"
#include "framework/devices/cpu/box.h"
#include "framework/exec/compile_stage.h"
#include "framework/exec/executor.h"
#include "framework/exec/external_memory.h"
#include "framework/observers/observer.h"
#include "framework/observers/trace.h"

namespace gramflow {

/// A finished canvas on its way to another stage.
struct Canvas {
  std::string node;  ///< the optimiser's
  std::vector<float> values;
  Shape shape{0, 0, 0};
  InputSpace space;
};

struct SessionOptions {
  ExecutorKind executor = ExecutorKind::flow;
  /// Set from outside (a signal): the call that is under way ends with Interrupted. Borrowed.
  const std::atomic<bool>* stop = nullptr;
  Trace* trace = nullptr;  ///< gets the time of every operation; borrowed
  /// Memory of the plan's externals (canvases, gradients, states), in the plan's order; empty: the session's
  /// own. Borrowed.
  std::vector<void*> externals;
};

class Session {
 public:
  /// Takes the memory, reads the weights. `stage` must outlive it. Throws RunError and MissingResource.
  Session(CompiledStage& stage, const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Goes on to the next loop: runs what comes before it, once, and puts its canvas at its start, or at what
  /// an earlier stage has `carried` for it. False when there is no loop left.
  bool begin(const std::vector<Canvas>& carried = {});
  /// Whether the loop has iterations left and its method has not stopped.
  bool running() const;
  /// One iteration. The report is good until the next call. Interrupted: the canvas is back where this step
  /// began, and the loop may be gone on with.
  const IterationReport& step();
  /// Ends the loop: the canvas becomes what the method has to show (an average), and its loss is found, in the
  /// range of pictures, by one more evaluation where it is not known. No step may follow. The result is good
  /// until the next loop.
  const LoopResult& conclude();
  /// Loss and gradient() at the canvas as it stands, which may have been changed from outside; no iteration.
  double evaluate_canvas();
  /// Runs the previews that are due after the iterations done so far, of what the method has to show; none after
  /// the last iteration. One that fails (a full disk) is told to `failed`, and the others are still made.
  void preview(const std::function<void(const std::string& problem)>& failed);
  void preview() {
    preview([](const std::string& problem) { throw RunError(problem); });
  }
  /// From now on no call ends with Interrupted.
  void ignore_stop() { stop_ = nullptr; }
  /// From now on begin() writes pictures, too, and starts every loop from what was carried for it, also one that
  /// goes on from another's picture: to show what there is after an interruption.
  void show_carried() { showing_ = true; }
  /// Runs what comes behind the last loop that was begun, with all effects (written pictures) or only those that
  /// a stage in the middle has at its end; the stop request is heard only where there is no loop at all. Also good
  /// for the canvas as it stands in the middle of a loop: what the method has to show is taken.
  void finish(bool all = true);

  /// The loop that was begun last, -1 before the first.
  int loop() const { return loop_; }
  std::int64_t iteration() const { return iteration_; }  ///< iterations done in it
  /// Why the method stopped; "" as long as it has not, or came to the end of its iterations.
  const std::string& stop_reason() const { return stop_reason_; }
  /// The method, between two steps, for those who keep or take back its state; good until the next begin().
  OptimizationMethod& method() const { return *methods_.back(); }
  bool failed() const { return failed_; }  ///< it stopped at numbers that are not finite

  /// Iterations done in a loop of this stage, 0 when it has not begun.
  std::int64_t iterations_done(int loop) const;
  /// What is said of the loss that a loop of this stage came to; "" before its end.
  const std::string& words_of(int loop) const { return words_.at(static_cast<std::size_t>(loop)); }
  /// What the loop must remember between two steps, beside memory().
  LoopState save_loop() const;
  /// Memory that has to be kept with it: all externals that are needed in this loop or later.
  struct Memory {
    std::string name;
    std::span<float> floats;
  };
  std::vector<Memory> memory() const;
  /// After begin(), in a session of the same pipeline, and after memory() was filled with what it held: goes on to
  /// the same bits. Throws std::invalid_argument when the state is another optimiser's.
  void restore_loop(const LoopState& state);
  /// After begin(): takes this as the loop's finished canvas, of its size, as so many iterations made it.
  void adopt(std::span<const float> values, std::int64_t iterations, const std::string& words = "");

  /// A copy of the loop's canvas, for a next stage: what the method has to show.
  Canvas copy_canvas() const;
  TensorView canvas() const;
  /// A number that another canvas has another one of.
  std::uint64_t canvas_number() const;
  TensorView gradient() const;
  PreparedPlan& prepared() { return prepared_; }

  /// For tests: called before a set of operations is run, with its section; before previews with that of the
  /// loop they look at. May change free memory.
  std::function<void(int section)> before_section;

 private:
  struct LossScalar {
    std::size_t term;
    int layer;  // -1: the node has no layers
  };

  const Plan& plan() const { return stage_.plan; }
  const Loop& current() const;
  const Optimization& optimization() const;
  void run_set(int set, int section);
  /// The straight section: all that is needed from there on, with or without effects.
  void run_straight(int section, const std::function<bool(const Operation&)>& effects, bool rest);
  void start_canvas(const std::vector<Canvas>& carried);
  void take_carried(const Canvas& from);
  void set_iteration(std::int64_t done, std::int64_t steps);
  void carry_moments();
  cpu::Box box() const { return {optimization().space.low, optimization().space.high}; }
  double loss_in_range();
  void group_terms(const std::vector<double>& scalars);
  void group_losses();
  Evaluated evaluate();
  void recall(std::int64_t evaluation);

  CompiledStage& stage_;
  std::unique_ptr<ExternalMemory> own_memory_;
  PreparedPlan prepared_;
  std::unique_ptr<Executor> executor_;
  std::vector<int> previews_;  // sets, by plan.previews
  const std::atomic<bool>* stop_;

  // Of the current loop.
  int loop_ = -1;
  int loop_set_ = -1;
  std::vector<std::string> words_;                            // by loop
  std::vector<std::unique_ptr<OptimizationMethod>> methods_;  // by loop; those that ended may hand moments on
  std::vector<std::byte> scratch_;
  std::int64_t iteration_ = 0;
  bool showing_ = false;
  std::int64_t steps_ = 0;  // iterations that went somewhere
  bool stopped_ = false;
  bool failed_ = false;
  std::string stop_reason_, note_;
  std::vector<ReportedLoss> terms_;
  std::vector<LossScalar> scalars_;
  PreparedPlan::Scalars scalar_memory_;
  std::vector<double> scalar_values_;        // what the last evaluation found
  std::vector<KeptEvaluation> evaluations_;  // those that may still be asked for, in order; then free ones
  std::size_t evaluations_kept_ = 0;
  std::int64_t evaluation_count_ = 0;
  IterationReport report_;
  bool concluded_ = false;
  LoopResult result_;
};

}  // namespace gramflow
