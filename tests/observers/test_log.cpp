#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/observers/log_observer.h"
#include "tests/observers/reports.h"
#include "tests/support/temporary_folder.h"

using namespace gramflow;
using namespace gramflow::test;
using Json = nlohmann::json;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The last line after `what` happened to a log.
template <class What>
Json logged(What what) {
  const TemporaryFolder folder;
  LogObserver log(folder / "log.jsonl");
  what(log);
  return Json::parse(lines_of(folder / "log.jsonl").back());
}

std::string opening_error(const std::string& path) {
  try {
    LogObserver log(path);
  } catch (const RunError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("The start says what was resolved") {
  const Json line = logged([](LogObserver& log) {
    log.start({"p.yaml", 2, {stage(0, 300, 200, 50), stage(1, 600, 400, 10)}});
  });
  CHECK(line["event"] == "start");
  CHECK(line["pipeline"] == "p.yaml");
  CHECK(line["threads"] == 2);
  CHECK(line["planned_bytes"] == 104857600);
  CHECK(line["stages"][1] ==
        Json::parse(R"({"stage": 1, "width": 600, "height": 400, "iterations": 10, "method": "adam",
                                             "planned_bytes": 104857600, "optimizers": [{"optimizer": "result", "width": 600, "height": 400,
                                             "iterations": 10, "method": "adam"}]})"));
}

TEST_CASE("An iteration has its losses, by node and by layer") {
  const Json line = logged([](LogObserver& log) { log.iteration(Reports().at(7, 100)); });
  CHECK(line == Json::parse(R"({"event": "iteration", "stage": 0, "iteration": 7, "total": 10.0,
                                "losses": {"content_loss": 2.5, "style_loss": 7.5},
                                "layers": {"style_loss": {"relu1_1": 3.0, "relu2_1": 4.5}},
                                "gradient_norm": 0.25, "seconds": 0.5, "evaluations": 1, "optimizer": "result"})"));
}

TEST_CASE("Keys stand in the order of the contract") {
  const TemporaryFolder folder;
  LogObserver log(folder / "log.jsonl");
  log.iteration(Reports().at(0, 1));
  CHECK(
      lines_of(folder / "log.jsonl").at(0).find(R"({"event":"iteration","stage":0,"iteration":0,"total":)") ==
      0);
}

TEST_CASE("Numbers survive to the last bit") {
  const Json line = logged([](LogObserver& log) {
    Reports reports;
    IterationReport report = reports.at(0, 1);
    report.total = 0.1 + 0.2;
    log.iteration(report);
  });
  CHECK(line["total"].get<double>() == 0.1 + 0.2);
}

TEST_CASE("What is not finite becomes null") {
  const Json line = logged([](LogObserver& log) {
    Reports reports;
    IterationReport report = reports.at(0, 1);
    report.total = NAN;
    report.gradient_norm = INFINITY;
    log.iteration(report);
  });
  CHECK(line["total"].is_null());
  CHECK(line["gradient_norm"].is_null());
  CHECK(line["seconds"] == 0.5);
}

TEST_CASE("A note is there when there is one") {
  const Json line = logged([](LogObserver& log) {
    Reports reports;
    IterationReport report = reports.at(0, 1);
    report.note = "restarted";
    log.iteration(report);
  });
  CHECK(line["note"] == "restarted");
}

TEST_CASE("A result has the loss of the picture, by node and layer, and what of it is clipped") {
  const Json line = logged([](LogObserver& log) {
    const std::vector<ReportedLoss> losses = {{"style_loss", 0.5, {{"relu1_1", 0.5}}}};
    LoopResult result;
    result.optimizer = "result";
    result.iterations = 20;
    result.start = 3;
    result.total = 0.5;
    result.losses = losses;
    result.clipped = 0.25;
    log.result(result);
  });
  CHECK(line == Json::parse(R"({"event": "result", "stage": 0, "optimizer": "result", "iterations": 20,
                                "start": 3.0, "total": 0.5, "losses": {"style_loss": 0.5},
                                "layers": {"style_loss": {"relu1_1": 0.5}}, "clipped": 0.25})"));
}

TEST_CASE("A written picture has the share of it that is clipped, a warning its text") {
  CHECK(logged([](LogObserver& log) { log.written("a.png", 0.5); }) ==
        Json::parse(R"({"event": "saved", "path": "a.png", "clipped": 0.5})"));
  CHECK(logged([](LogObserver& log) { log.warning("look"); }) ==
        Json::parse(R"({"event": "warning", "text": "look"})"));
}

TEST_CASE("The end has time, memory and files") {
  const Json line = logged([](LogObserver& log) { log.end({1.5, 2048, {"a.png", "b.png"}, true}); });
  CHECK(line ==
        Json::parse(R"({"event": "end", "seconds": 1.5, "peak_rss_bytes": 2048, "outputs": ["a.png", "b.png"],
                                "interrupted": true})"));
}

TEST_CASE("Each line is in the file as soon as it happened") {
  const TemporaryFolder folder;
  LogObserver log(folder / "log.jsonl");
  for (int i = 0; i < 3; ++i) {
    log.iteration(Reports().at(i, 3));
    CHECK(lines_of(folder / "log.jsonl").size() == static_cast<std::size_t>(i) + 1);
  }
}

TEST_CASE("Names that are not UTF-8 do not break the line") {
  const Json line = logged([](LogObserver& log) { log.saved("caf\xE9.png"); });
  CHECK(line["path"] == "caf\xEF\xBF\xBD.png");
}

TEST_CASE("An old log is replaced") {
  const TemporaryFolder folder;
  std::ofstream(folder / "log.jsonl") << "old\nold\n";
  LogObserver(folder / "log.jsonl").message("new");
  CHECK(lines_of(folder / "log.jsonl").size() == 1);
}

TEST_CASE("A log that cannot be opened says why") {
  const TemporaryFolder folder;
  CHECK(opening_error(folder / "no/log.jsonl").find("there is no folder '" + (folder / "no") + "'") !=
        std::string::npos);
  CHECK(opening_error(folder / "").find("Is a directory") != std::string::npos);
}

TEST_CASE("A full disk does not stop the run but is an error in the end") {
  LogObserver log("/dev/full");
  log.start({"p.yaml", 1, {}});
  log.iteration(Reports().at(0, 1));
  CHECK_THROWS_WITH_AS(log.end({}), "/dev/full: the log could not be written to its end; is the disk full?",
                       RunError);
}
