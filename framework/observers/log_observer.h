#pragma once
// The log of a run: one JSON object a line, written as it happens.
#include <fstream>
#include <string>

#include "framework/observers/observer.h"

namespace gramflow {

/// Events "start", "iteration", "saved", "message", "end". Numbers that are not finite become null. A log
/// that can no longer be written (disk full) does not stop the run; end() throws RunError then, when all else
/// is done.
class LogObserver final : public Observer {
 public:
  /// Throws RunError when the file cannot be opened; an existing one is replaced.
  explicit LogObserver(const std::string& path);
  void start(const RunStart& start) override;
  void iteration(const IterationReport& report) override;
  void saved(const std::string& path) override;
  void message(const std::string& text) override;
  void end(const RunEnd& end) override;

 private:
  void write(const std::string& line);
  std::string path_;
  std::ofstream file_;
};

}  // namespace gramflow
