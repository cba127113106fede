#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "framework/base/error.h"
#include "framework/observers/trace.h"
#include "tests/support/temporary_folder.h"

using namespace gramflow;
using namespace gramflow::test;
using Json = nlohmann::json;

namespace {

Json written(const Trace& trace) {
  const TemporaryFolder folder;
  trace.write(folder / "trace.json");
  std::ifstream file(folder / "trace.json");
  return Json::parse(file);
}

/// Only what took time, not the names of processes.
std::vector<Json> operations(const Json& trace) {
  std::vector<Json> found;
  for (const Json& event : trace["traceEvents"])
    if (event["ph"] == "X") found.push_back(event);
  return found;
}

}  // namespace

TEST_CASE("An operation becomes a complete event in microseconds, counted from the earliest") {
  Trace trace;
  trace.record("conv1_1", "loop", 5'000'500, 5'003'000);
  trace.record("load", "prologue", 1'000'000, 2'000'000);
  const std::vector<Json> events = operations(written(trace));
  REQUIRE(events.size() == 2);
  CHECK(
      events[0] ==
      Json::parse(
          R"({"name": "conv1_1", "cat": "loop", "ph": "X", "pid": 1, "tid": 1, "ts": 4000.5, "dur": 2.5})"));
  CHECK(events[1]["ts"] == 0.0);
}

TEST_CASE("Threads have rows of their own, and nothing is lost between them") {
  Trace trace(10'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&trace, t] {
      for (int i = 0; i < 1000; ++i) trace.record("thread " + std::to_string(t), "loop", i, i + 1);
    });
  for (std::thread& thread : threads) thread.join();
  std::set<std::pair<int, std::string>> rows;
  const std::vector<Json> events = operations(written(trace));
  for (const Json& event : events) rows.emplace(event["tid"].get<int>(), event["name"].get<std::string>());
  CHECK(events.size() == 8000);
  CHECK(rows.size() <= 8);  // a thread that starts after another ended may get its number
  std::set<std::string> names;
  for (const auto& [thread, name] : rows) names.insert(name);
  CHECK(names.size() == 8);
}

TEST_CASE("Events beyond the capacity are counted and left out") {
  Trace trace(3);
  for (int i = 0; i < 5; ++i) trace.record("op", "loop", i, i + 1);
  CHECK(trace.recorded() == 3);
  CHECK(trace.left_out() == 2);
  const Json json = written(trace);
  CHECK(operations(json).size() == 3);
  CHECK(json["otherData"]["events_left_out"] == 2);
}

TEST_CASE("Names with quotes or of any length keep the file valid") {
  Trace trace;
  trace.record("a \"quoted\" \\ name\n", "loop", 0, 1);
  trace.record(std::string(500, 'x'), "loop", 0, 1);
  trace.record(std::string(86, 'x') + "ü", "loop", 0, 1);
  const std::vector<Json> events = operations(written(trace));
  CHECK(events[0]["name"] == "a \"quoted\" \\ name\n");
  CHECK(events[1]["name"] == std::string(87, 'x'));
  CHECK(events[2]["name"] == std::string(86, 'x') + "\xEF\xBF\xBD");
}

TEST_CASE("A trace without events is a valid file") { CHECK(operations(written(Trace())).empty()); }

TEST_CASE("A trace that cannot be written says so") {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "mine";
  CHECK_THROWS_WITH_AS(Trace().write(folder / "file/trace.json"), doctest::Contains("cannot be made"),
                       RunError);
  CHECK_THROWS_AS(Trace().write("/dev/full"), RunError);
}
