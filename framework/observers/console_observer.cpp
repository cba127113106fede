#include "framework/observers/console_observer.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "framework/base/text.h"
#include "framework/observers/progress_line.h"

namespace gramflow {
namespace {

constexpr double redraw_seconds = 0.1;
constexpr double plain_line_seconds = 5;
constexpr std::string_view clear_rest = "\033[K";

}  // namespace

ConsoleObserver::ConsoleObserver(std::ostream& out, ConsoleOptions options)
    : out_(out), options_(std::move(options)), shown_at_(options_.now()) {}

ConsoleObserver::~ConsoleObserver() {
  if (bar_shown_) out_ << '\n' << std::flush;
}

int ConsoleObserver::columns() const {
  if (options_.columns > 0) return options_.columns;
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void ConsoleObserver::draw(const std::string& text) {
  out_ << '\r' << text << clear_rest << std::flush;
  bar_shown_ = true;
}

void ConsoleObserver::line(const std::string& text) {
  if (options_.quiet) return;
  if (bar_shown_) out_ << '\r' << clear_rest;
  bar_shown_ = false;
  out_ << text << '\n' << std::flush;
}

void ConsoleObserver::settle() {
  if (!last_.empty()) line(last_);
  last_.clear();
}

void ConsoleObserver::start(const RunStart& start) {
  progress_ = Progress(start.stages);
  stages_ = start.stages.size();
  loops_ = start.stages.empty() ? 0 : start.stages.front().loops.size();
  std::uint64_t planned = 0;
  for (const StageStart& stage : start.stages) planned = std::max(planned, stage.planned_bytes);
  line(fmt::format("{}: {} thread{}, {} of memory planned", start.pipeline, start.threads,
                   start.threads == 1 ? "" : "s", human_bytes(planned)));
}

void ConsoleObserver::loop_start(const LoopStart& loop) {
  settle();
  progress_.begin(loop.stage, loop.loop);
  shown_at_ = options_.now();
  shown_tenth_ = 0;
  std::string what = stages_ > 1 ? fmt::format("stage {}/{}: ", loop.stage + 1, stages_) : "";
  if (loops_ > 1) what += fmt::format("{} ({}/{}): ", loop.optimizer, loop.loop + 1, loops_);
  line(fmt::format("{}{}x{}, {} iteration{} of {}", what, loop.width, loop.height, loop.iterations,
                   loop.iterations == 1 ? "" : "s", loop.method));
}

/// Notes what is shown.
bool ConsoleObserver::is_due(const IterationReport& report) {
  const std::int64_t done = report.iteration + 1;
  const std::int64_t tenth = 10 * done / std::max<std::int64_t>(report.iterations, 1);
  const auto now = options_.now();
  const double since = std::chrono::duration<double>(now - shown_at_).count();
  const bool edge = report.iteration == 0 || done == report.iterations;
  const bool due =
      options_.terminal ? since >= redraw_seconds : since >= plain_line_seconds || tenth > shown_tenth_;
  if (!edge && !due) return false;
  shown_at_ = now;
  shown_tenth_ = tenth;
  return true;
}

std::string ConsoleObserver::progress_line(const IterationReport& report) const {
  ProgressNumbers numbers;
  numbers.stage = report.stage;
  numbers.stages = static_cast<int>(stages_);
  if (loops_ > 1) numbers.optimizer = report.optimizer;
  numbers.done = report.iteration + 1;
  numbers.iterations = report.iterations;
  numbers.share = progress_.share();
  numbers.seconds_per_iteration = progress_.seconds_per_iteration();
  numbers.seconds_left = progress_.seconds_left();
  numbers.total = report.total;
  // One column stays free: a terminal that is written to its last column may move on to the next line.
  return gramflow::progress_line(numbers, report.losses, options_.terminal ? std::max(columns() - 1, 1) : 0);
}

void ConsoleObserver::iteration(const IterationReport& report) {
  if (options_.quiet) return;
  progress_.add(report.iteration + 1, report.seconds);
  if (!report.note.empty()) line(fmt::format("iteration {}: {}", report.iteration + 1, report.note));
  last_ = progress_line(report);
  if (!is_due(report)) return;
  if (!options_.terminal || report.iteration + 1 == report.iterations)
    settle();
  else
    draw(last_);
}

void ConsoleObserver::result(const LoopResult& result) {
  if (options_.quiet) return;
  settle();
  line(fmt::format("{}; {:.2g} % of its samples are black or white", in_words(result), 100 * result.clipped));
}

void ConsoleObserver::saved(const std::string& path) { line("saved " + path); }

void ConsoleObserver::message(const std::string& text) {
  settle();
  line(text);
}

void ConsoleObserver::end(const RunEnd& end) {
  settle();
  if (!end.error.empty()) return;  // which the program says
  std::string text = fmt::format("{} {}, peak memory {}", end.interrupted ? "interrupted after" : "done in",
                                 human_seconds(end.seconds), human_bytes(end.peak_rss_bytes));
  if (end.interrupted && !end.outputs.empty())
    text += "; the last complete result is in " + join_words(end.outputs);
  line(text);
}

}  // namespace gramflow
