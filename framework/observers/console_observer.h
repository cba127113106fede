#pragma once
// Progress for people. On a terminal one line that is drawn again and again; elsewhere (a file, a render
// farm's log) plain lines now and then.
#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

#include "framework/observers/observer.h"
#include "framework/observers/progress.h"

namespace gramflow {

struct ConsoleOptions {
  bool terminal = false;
  bool quiet = false;  ///< nothing at all; errors are the caller's to print
  int columns = 0;     ///< width of the terminal; 0: that of standard error, asked each time
  std::function<std::chrono::steady_clock::time_point()> now = [] {
    return std::chrono::steady_clock::now();
  };
};

/// Terminal: redrawn at most ten times a second, never wider than the terminal; what matters least is left
/// out first. Elsewhere: the first and the last iteration of a stage, and one whenever 5 seconds or 10 % have
/// passed.
class ConsoleObserver final : public Observer {
 public:
  /// The stream must outlive the observer.
  ConsoleObserver(std::ostream& out, ConsoleOptions options);
  /// Ends a progress line that is still being drawn, so that an error message starts on a line of its own.
  ~ConsoleObserver() override;
  ConsoleObserver(const ConsoleObserver&) = delete;
  ConsoleObserver& operator=(const ConsoleObserver&) = delete;

  void start(const RunStart& start) override;
  void loop_start(const LoopStart& loop) override;
  void iteration(const IterationReport& report) override;
  void result(const LoopResult& result) override;
  void saved(const std::string& path) override;
  void message(const std::string& text) override;
  void end(const RunEnd& end) override;

 private:
  bool is_due(const IterationReport& report);
  std::string progress_line(const IterationReport& report) const;
  void draw(const std::string& text);
  void line(const std::string& text);
  /// Shows the last iteration for good, if it was not.
  void settle();
  int columns() const;

  std::ostream& out_;
  ConsoleOptions options_;
  Progress progress_;
  std::size_t stages_ = 1;
  std::size_t loops_ = 1;  // in each
  bool bar_shown_ = false;
  std::string last_;  // line of the last iteration, when not shown for good
  std::chrono::steady_clock::time_point shown_at_;
  std::int64_t shown_tenth_ = 0;
};

}  // namespace gramflow
