#include "framework/exec/console_observer.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "framework/base/text.h"

namespace gramflow {
namespace {

constexpr double redraw_seconds = 0.1;
constexpr double plain_line_seconds = 5;
constexpr int bar_cells = 24;

int terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string rate_text(double seconds) { return seconds >= 1 ? fmt::format("{:.2f} s/it", seconds) : fmt::format("{:.2f} it/s", 1 / seconds); }

}  // namespace

ConsoleObserver::ConsoleObserver(std::ostream& out, ConsoleOptions options) : out_(out), options_(std::move(options)) {}

void ConsoleObserver::clear_bar() {
  if (bar_shown_) out_ << "\r\033[K";
  bar_shown_ = false;
}

void ConsoleObserver::line(const std::string& text) {
  if (options_.quiet) return;
  clear_bar();
  out_ << text << '\n' << std::flush;
}

void ConsoleObserver::start(const RunStart& start) {
  stages_ = static_cast<int>(start.stages.size());
  std::uint64_t planned = 0;
  for (const StageStart& stage : start.stages) planned = std::max(planned, stage.planned_bytes);
  line(fmt::format("{}: {} planned, {} thread{}", start.pipeline, human_bytes(planned), start.threads, start.threads == 1 ? "" : "s"));
}

void ConsoleObserver::stage_start(const StageStart& stage) {
  stage_start_ = last_print_ = options_.now();
  seconds_per_iteration_ = 0;
  if (stage.width == 0) return;
  const std::string number = stages_ > 1 ? fmt::format("stage {} of {}: ", stage.stage + 1, stages_) : "";
  line(fmt::format("{}{}x{}, {} iterations of {}", number, stage.width, stage.height, stage.iterations, stage.method));
}

std::string ConsoleObserver::terms(const IterationReport& report) const {
  std::string text = fmt::format("loss {:.4g}", report.total);
  if (report.losses.size() > 1)
    for (const ReportedLoss& loss : report.losses) text += fmt::format("{}{} {:.3g}", &loss == &report.losses.front() ? " = " : " + ", loss.node, loss.value);
  return text;
}

void ConsoleObserver::iteration(const IterationReport& report) {
  if (options_.quiet) return;
  if (!report.note.empty()) line(fmt::format("iteration {}: {}", report.iteration, report.note));
  seconds_per_iteration_ = seconds_per_iteration_ == 0 ? report.seconds : 0.9 * seconds_per_iteration_ + 0.1 * report.seconds;
  const std::int64_t done = report.iteration + 1;
  const bool edge = report.iteration == 0 || done == report.iterations;
  const auto now = options_.now();
  const double since = std::chrono::duration<double>(now - last_print_).count();
  if (!edge && since < (options_.terminal ? redraw_seconds : plain_line_seconds)) return;
  last_print_ = now;
  const double left = static_cast<double>(report.iterations - done) * seconds_per_iteration_;
  const auto share = static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(report.iterations, 1));
  if (!options_.terminal) {
    line(fmt::format("iteration {} of {} ({:.0f} %), {}, {} left, {}", done, report.iterations, 100 * share, rate_text(seconds_per_iteration_), human_seconds(left),
                     terms(report)));
    return;
  }
  const int filled = static_cast<int>(share * bar_cells);
  std::string text = fmt::format("[{}{}] {}/{} {} {} left  {}", std::string(static_cast<std::size_t>(filled), '#'),
                                 std::string(static_cast<std::size_t>(bar_cells - filled), '.'), done, report.iterations, rate_text(seconds_per_iteration_),
                                 human_seconds(left), terms(report));
  const int columns = options_.columns > 0 ? options_.columns : terminal_columns();
  if (static_cast<int>(text.size()) >= columns) text.resize(static_cast<std::size_t>(std::max(columns - 1, 1)));
  out_ << "\r\033[K" << text << std::flush;
  bar_shown_ = true;
  if (done == report.iterations) {
    out_ << '\n';
    bar_shown_ = false;
  }
}

void ConsoleObserver::saved(const std::string& path) { line("wrote " + path); }
void ConsoleObserver::message(const std::string& text) { line(text); }

void ConsoleObserver::end(const RunEnd& end) {
  line(fmt::format("{} after {}, peak memory {}", end.interrupted ? "interrupted" : "done", human_seconds(end.seconds), human_bytes(end.peak_rss_bytes)));
}

}  // namespace gramflow
