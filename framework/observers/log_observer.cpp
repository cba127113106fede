#include "framework/observers/log_observer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"

namespace gramflow {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Of a run that was killed in the middle of it.
bool ends_in_half_line(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() <= 0) return false;
  file.seekg(-1, std::ios::end);
  return file.get() != '\n';
}

/// By node, and by node and layer.
std::pair<Json, Json> split(std::span<const ReportedLoss> reported) {
  std::pair<Json, Json> result{Json::object(), Json::object()};
  for (const ReportedLoss& loss : reported) {
    result.first[loss.node] = loss.value;
    for (const auto& [layer, value] : loss.layers) result.second[loss.node][layer] = value;
  }
  return result;
}

}  // namespace

LogObserver::LogObserver(const std::string& path, bool append, std::function<void(const std::string&)> failed)
    : path_(path), failed_(std::move(failed)) {
  errno = 0;
  const bool half_line = append && ends_in_half_line(path);
  file_.open(path, std::ios::binary | (append ? std::ios::app : std::ios::trunc));
  if (half_line) file_ << '\n';
  if (file_) return;
  std::string reason = std::strerror(errno == 0 ? EIO : errno);
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::exists(folder, ignored))
    reason = "there is no folder '" + folder.string() + "'";
  throw RunError(path + ": the log cannot be written there: " + reason);
}

void LogObserver::write(const std::string& line) {
  if (!file_) return;
  file_ << line << '\n' << std::flush;
  if (!file_ && failed_) failed_(problem());
}

std::string LogObserver::problem() const {
  return path_ + ": the log could not be written to its end; is the disk full?";
}

void LogObserver::start(const RunStart& start) {
  Json object = {{"event", "start"},
                 {"pipeline", start.pipeline},
                 {"threads", start.threads},
                 {"planned_bytes", 0},
                 {"stages", Json::array()}};
  std::uint64_t planned = 0;
  for (const StageStart& stage : start.stages) {
    planned = std::max(planned, stage.planned_bytes);
    // Who reads a stage's size means the picture that comes out in the end.
    const LoopStart last = stage.loops.empty() ? LoopStart{} : stage.loops.back();
    object["stages"].push_back({{"stage", stage.stage},
                                {"width", last.width},
                                {"height", last.height},
                                {"iterations", last.iterations},
                                {"method", last.method},
                                {"planned_bytes", stage.planned_bytes},
                                {"optimizers", Json::array()}});
    for (const LoopStart& loop : stage.loops)
      object["stages"].back()["optimizers"].push_back({{"optimizer", loop.optimizer},
                                                       {"width", loop.width},
                                                       {"height", loop.height},
                                                       {"iterations", loop.iterations},
                                                       {"method", loop.method}});
  }
  object["planned_bytes"] = planned;
  write(line_of(object));
}

void LogObserver::iteration(const IterationReport& report) {
  const auto [losses, layers] = split(report.losses);
  Json object = {{"event", "iteration"},
                 {"stage", report.stage},
                 {"iteration", report.iteration},
                 {"total", report.total},
                 {"losses", losses},
                 {"layers", layers},
                 {"gradient_norm", report.gradient_norm},
                 {"seconds", report.seconds},
                 {"evaluations", report.evaluations},
                 {"optimizer", report.optimizer}};
  if (!report.note.empty()) object["note"] = report.note;
  write(line_of(object));
}

void LogObserver::saved(const std::string& path) { write(line_of({{"event", "saved"}, {"path", path}})); }
void LogObserver::written(const std::string& path, double clipped) {
  write(line_of({{"event", "saved"}, {"path", path}, {"clipped", clipped}}));
}

void LogObserver::result(const LoopResult& result) {
  const auto [losses, layers] = split(result.losses);
  write(line_of({{"event", "result"},
                 {"stage", result.stage},
                 {"optimizer", result.optimizer},
                 {"iterations", result.iterations},
                 {"start", result.start},
                 {"total", result.total},
                 {"losses", losses},
                 {"layers", layers},
                 {"clipped", result.clipped}}));
}

void LogObserver::warning(const std::string& text) { write(line_of({{"event", "warning"}, {"text", text}})); }
void LogObserver::message(const std::string& text) { write(line_of({{"event", "message"}, {"text", text}})); }

void LogObserver::end(const RunEnd& end) {
  Json object = {{"event", "end"},
                 {"seconds", end.seconds},
                 {"peak_rss_bytes", end.peak_rss_bytes},
                 {"outputs", end.outputs},
                 {"interrupted", end.interrupted}};
  if (!end.error.empty()) object["error"] = end.error;
  write(line_of(object));
  if (!file_ && !failed_) throw RunError(problem());
}

}  // namespace gramflow
