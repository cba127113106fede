#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>

#include "framework/observers/console_observer.h"
#include "framework/observers/progress_line.h"
#include "tests/observers/reports.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// A console with a clock that is wound by hand.
struct Console {
  explicit Console(bool terminal, bool quiet = false, int columns = 100) {
    ConsoleOptions options;
    options.terminal = terminal;
    options.quiet = quiet;
    options.columns = columns;
    options.now = [this] { return now; };
    observer.emplace(out, options);
    observer->start({"p.yaml", 2, {stage(0, 30, 20, 1000)}});
    observer->loop_start(loop(0, 30, 20, 1000));
    out.str("");
  }
  /// Iterations [from, to) that take `seconds` each.
  void iterate(std::int64_t from, std::int64_t to, double seconds) {
    for (std::int64_t i = from; i < to; ++i) {
      now += std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::duration<double>(seconds));
      observer->iteration(reports.at(i, 1000, seconds));
    }
  }
  std::chrono::steady_clock::time_point now;
  std::ostringstream out;
  Reports reports;
  std::optional<ConsoleObserver> observer;
};

/// What a terminal shows in the end: \r goes back, ESC [K clears to the end.
std::string screen(const std::string& written) {
  std::string shown, line;
  std::size_t column = 0;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '\r') {
      column = 0;
    } else if (written.compare(i, 3, "\033[K") == 0) {
      line.resize(column);
      i += 2;
    } else if (written[i] == '\n') {
      shown += line + "\n";
      line.clear();
      column = 0;
    } else {
      line.resize(std::max(line.size(), column + 1), ' ');
      line[column++] = written[i];
    }
  }
  return shown + line;
}

}  // namespace

TEST_CASE("A run begins with what it is and ends with what it took") {
  std::ostringstream out;
  ConsoleObserver console(out, {});
  console.start({"p.yaml", 2, {stage(0, 300, 200, 50), stage(1, 600, 400, 1)}});
  console.loop_start(loop(1, 600, 400, 1));
  console.saved("out/a.png");
  console.message("a word");
  console.end({75, std::uint64_t{3} << 30, {"out/a.png"}, false});
  CHECK(out.str() ==
        "p.yaml: 2 threads, 100 MiB of memory planned\n"
        "stage 2/2: 600x400, 1 iteration of adam\n"
        "saved out/a.png\n"
        "a word\n"
        "done in 1 min 15 s, peak memory 3.0 GiB\n");
}

TEST_CASE("An optimiser ends with the loss of its picture") {
  std::ostringstream out;
  const std::vector<ReportedLoss> losses = {{"content_loss", 0.625, {}}, {"style_loss", 0.5, {}}};
  LoopResult result;
  result.optimizer = "look/result";
  result.total = 1.125;
  result.losses = losses;
  result.clipped = 0.031;
  ConsoleObserver(out, {}).result(result);
  CHECK(out.str() ==
        "loss of 'look/result': 1.125 (content_loss 0.625, style_loss 0.5); 3.1 % of its samples are black "
        "or white\n");
}

TEST_CASE("An interrupted run says where its last result is") {
  std::ostringstream out;
  ConsoleObserver(out, {}).end({2, 1024, {"a.png", "b.png"}, true});
  CHECK(out.str() ==
        "interrupted after 2 s, peak memory 1.0 KiB; the last complete result is in a.png and b.png\n");
}

TEST_CASE("Quiet means silent") {
  Console console(false, true);
  console.iterate(0, 1000, 1);
  console.observer->saved("a.png");
  console.observer->message("a word");
  console.observer->end({});
  CHECK(console.out.str() == "");
}

TEST_CASE("Not on a terminal: plain lines with everything in them") {
  Console console(false);
  console.iterate(0, 1, 0.5);
  CHECK(console.out.str() ==
        "  0 %  1/1000  2 it/s  8 min 20 s left  loss 10  content_loss 2.5  style_loss 7.5\n");
}

TEST_CASE("Not on a terminal: a fast run prints its first iteration and every tenth part") {
  Console console(false);
  console.iterate(0, 1000, 0.001);
  CHECK(count(console.out.str(), "\n") == 11);
  CHECK(console.out.str().find("  0 %  1/1000") == 0);
  CHECK(console.out.str().find("100 %  1000/1000") != std::string::npos);
  CHECK(console.out.str().find('\r') == std::string::npos);
  CHECK(console.out.str().find('\033') == std::string::npos);
}

TEST_CASE("Not on a terminal: a slow run prints every five seconds") {
  Console console(false);
  console.iterate(0, 51, 1);  // 5 % in 51 seconds
  CHECK(count(console.out.str(), "\n") == 11);
}

TEST_CASE("On a terminal the line is redrawn at most ten times a second") {
  Console console(true);
  console.iterate(0, 900, 0.001);
  CHECK(count(console.out.str(), "\r") <= 10);
  CHECK(count(console.out.str(), "\r") >= 9);
  CHECK(count(console.out.str(), "\n") == 0);
}

TEST_CASE("On a terminal one line is left in the end, that of the last iteration") {
  Console console(true);
  console.iterate(0, 1000, 0.01);
  console.observer->end({1, 1024, {}, false});
  const std::string shown = screen(console.out.str());
  CHECK(count(shown, "\n") == 2);
  CHECK(shown.find("100 %  1000/1000") != std::string::npos);
}

TEST_CASE("A stage that stops early leaves its last iteration, too") {
  for (const bool terminal : {false, true}) {
    Console console(terminal);
    console.iterate(0, 345, 0.0001);
    console.observer->message("'result' stopped");
    console.observer->end({1, 1024, {}, false});
    const std::string shown = screen(console.out.str());
    CHECK(shown.find("345/1000") != std::string::npos);
    CHECK(shown.find("345/1000") < shown.find("'result' stopped\n"));
    CHECK(count(shown, "345/1000") == 1);
  }
}

TEST_CASE("Other lines do not mix with the progress line") {
  Console console(true);
  console.iterate(0, 10, 0.2);
  console.observer->saved("preview.png");
  console.iterate(10, 11, 0.2);
  const std::string shown = screen(console.out.str());
  CHECK(shown.find("saved preview.png\n") == 0);
  CHECK(shown.find("11/1000") != std::string::npos);
  CHECK(shown.find("10/1000") == std::string::npos);
}

TEST_CASE("A note of an iteration gets a line of its own") {
  Console console(true);
  IterationReport report = console.reports.at(6, 1000);
  report.note = "the history was forgotten";
  console.observer->iteration(report);
  CHECK(screen(console.out.str()).find("iteration 7: the history was forgotten\n") == 0);
}

TEST_CASE("An error message after the observer starts on its own line") {
  Console console(true);
  console.iterate(0, 10, 0.2);
  console.observer.reset();
  CHECK(console.out.str().back() == '\n');
}

TEST_CASE("The line never reaches the last column, whatever the width") {
  for (int columns = 1; columns < 160; ++columns) {
    CAPTURE(columns);
    Console console(true, false, columns);
    console.iterate(0, 5, 0.2);
    CHECK(screen(console.out.str()).size() <= static_cast<std::size_t>(std::max(columns - 1, 1)));
  }
}

TEST_CASE("What matters least goes first when the terminal is narrow") {
  const std::vector<ReportedLoss> losses = {{"content_loss", 2.5, {}}, {"style_loss", 7.5, {}}};
  ProgressNumbers numbers;
  numbers.done = 30, numbers.iterations = 100, numbers.share = 0.3;
  numbers.seconds_per_iteration = 0.25, numbers.seconds_left = 17.5, numbers.total = 10;
  const auto line = [&](int columns) { return progress_line(numbers, losses, columns); };
  CHECK(line(120) ==
        "[######..............]   30 %  30/100  4 it/s  17.5 s left  loss 10  content_loss 2.5  style_loss "
        "7.5");
  CHECK(line(80) == "[###..........]   30 %  30/100  4 it/s  17.5 s left  loss 10  content_loss 2.5");
  CHECK(line(62) == "[###.......]   30 %  30/100  4 it/s  17.5 s left  loss 10");
  CHECK(line(45) == " 30 %  30/100  4 it/s  17.5 s left  loss 10");
  CHECK(line(36) == " 30 %  30/100  17.5 s left  loss 10");
  CHECK(line(25) == " 30 %  30/100  loss 10");
  CHECK(line(14) == " 30 %  30/100");
  CHECK(line(6) == " 30 % ");
  numbers.share = 0.9999;
  CHECK(line(14) == " 99 %  30/100");  // 100 % is for the end
}

TEST_CASE("Names outside ASCII are counted as characters and not cut in their middle") {
  ProgressNumbers numbers;
  numbers.done = 1, numbers.iterations = 2;
  const std::vector<ReportedLoss> losses = {{"größe", 1, {}}, {"ähnlichkeit", 1, {}}};
  for (int columns = 1; columns < 120; ++columns) {
    const std::string line = progress_line(numbers, losses, columns);
    std::size_t characters = 0;
    for (const char c : line) characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    CHECK(characters <= static_cast<std::size_t>(columns));
  }
  CHECK(progress_line(numbers, losses, 0).find("größe 1  ähnlichkeit 1") != std::string::npos);
}

TEST_CASE("Rates read well, fast and slow") {
  CHECK(rate_text(0.004) == "250 it/s");
  CHECK(rate_text(12.5) == "12.5 s/it");
  CHECK(rate_text(0) == "- it/s");
}
