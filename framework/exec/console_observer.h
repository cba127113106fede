#pragma once
// Progress for people. On a terminal one line that is drawn again; elsewhere (a farm's log) a plain line now and then.
#include <chrono>
#include <functional>
#include <iosfwd>

#include "framework/exec/observer.h"

namespace gramflow {

struct ConsoleOptions {
  bool terminal = false;
  bool quiet = false;   ///< nothing at all
  int columns = 0;      ///< width of the terminal; 0: ask it
  std::function<std::chrono::steady_clock::time_point()> now = [] { return std::chrono::steady_clock::now(); };
};

class ConsoleObserver final : public Observer {
 public:
  /// The stream must outlive the observer.
  ConsoleObserver(std::ostream& out, ConsoleOptions options);
  void start(const RunStart& start) override;
  void stage_start(const StageStart& stage) override;
  void iteration(const IterationReport& report) override;
  void saved(const std::string& path) override;
  void message(const std::string& text) override;
  void end(const RunEnd& end) override;

 private:
  void line(const std::string& text);
  void clear_bar();
  std::string terms(const IterationReport& report) const;

  std::ostream& out_;
  ConsoleOptions options_;
  bool bar_shown_ = false;
  int stages_ = 1;
  std::chrono::steady_clock::time_point stage_start_;
  std::chrono::steady_clock::time_point last_print_;
  double seconds_per_iteration_ = 0;  // of late
};

}  // namespace gramflow
