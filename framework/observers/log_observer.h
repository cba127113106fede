#pragma once
// The log of a run: one JSON object a line, written as it happens.
#include <fstream>
#include <functional>
#include <string>

#include "framework/observers/observer.h"

namespace gramflow {

/// Events "start", "iteration", "result", "saved", "message", "warning", "end". Numbers that are not finite become null. A log
/// that can no longer be written (disk full) does not stop the run: `failed` is told once, or without one end() throws
/// RunError when all else is done.
class LogObserver final : public Observer {
 public:
  /// Throws RunError when the file cannot be opened; an existing one is replaced, or with `append` gone on with.
  explicit LogObserver(const std::string& path, bool append = false,
                       std::function<void(const std::string& problem)> failed = {});
  void start(const RunStart& start) override;
  void iteration(const IterationReport& report) override;
  void result(const LoopResult& result) override;
  void saved(const std::string& path) override;
  void written(const std::string& path, double clipped) override;
  void message(const std::string& text) override;
  void warning(const std::string& text) override;
  void end(const RunEnd& end) override;

 private:
  void write(const std::string& line);
  std::string problem() const;
  std::string path_;
  std::ofstream file_;
  std::function<void(const std::string&)> failed_;
};

}  // namespace gramflow
