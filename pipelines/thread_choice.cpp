#include "pipelines/thread_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>

#include "framework/base/cores.h"
#include "framework/base/error.h"
#include "framework/base/text.h"

namespace gramflow {
namespace {

constexpr int most_per_core = 4;

/// A whole number of at least 1; OMP_NUM_THREADS may be a list, of which the first counts. 0 for anything
/// else.
int count_in(const std::string& text) {
  const std::string first = text.substr(0, text.find(','));
  int count = 0;
  const auto [end, problem] = std::from_chars(first.data(), first.data() + first.size(), count);
  return problem == std::errc() && end == first.data() + first.size() && count >= 1 ? count : 0;
}

std::string threads_text(int count) { return fmt::format("{} thread{}", count, count == 1 ? "" : "s"); }

}  // namespace

ThreadChoice choose_threads(int option, int cores,
                            const std::function<std::string(const char*)>& environment) {
  ThreadChoice choice;
  choice.threads = cores;
  if (option > 0) {
    choice.threads = option;
    choice.because = "--threads";
  } else {
    for (const char* name : {"GRAMFLOW_THREADS", "SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) {
      const std::string text = environment(name);
      if (text.empty()) continue;
      const int count = count_in(text);
      if (count == 0 && std::string_view(name) == "GRAMFLOW_THREADS") {
        Diagnostics found;
        found.error(
            "bad-environment", {},
            fmt::format("GRAMFLOW_THREADS is {}; a whole number from 1 on was expected", quote(text)));
        throw InvalidPipeline(std::move(found));
      }
      if (count == 0) continue;
      choice.threads = count;
      choice.because = name;
      break;
    }
  }
  const int most = most_per_core * cores;
  if (choice.threads > most) {
    choice.warning =
        fmt::format("{} says {}; {} for {} core{} are the most that make sense, and are taken",
                    choice.because, threads_text(choice.threads), most, cores, cores == 1 ? "" : "s");
    choice.threads = most;
  }
  return choice;
}

int threads_for_command(int option, bool quiet) {
  ThreadChoice choice = choose_threads(option, usable_cores(), [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  });
  // The libraries behind OpenImageIO start five threads when they are loaded, and die without them; TBB keeps
  // one more than there are workers. One is left over for whoever else runs under this limit.
  constexpr int spare = 7;
  const int startable = startable_threads(choice.threads - 1 + spare);
  if (startable < spare)
    throw MissingResource(
        "not enough threads can be started here; raise the limit on processes (ulimit -u, or pids.max of the "
        "container)");
  if (startable < choice.threads - 1 + spare) {
    const int fewer = startable - spare + 1;
    choice.warning = fmt::format("{} of {} can be started under the limit on processes (ulimit -u, pids.max)",
                                 fewer, threads_text(choice.threads));
    choice.threads = fewer;
  }
  if (!choice.warning.empty())
    std::cerr << "gramflow: warning: " << choice.warning << '\n';
  else if (!quiet && !choice.because.empty() && choice.because != "--threads")
    std::cerr << "gramflow: " << threads_text(choice.threads) << ", as " << choice.because << " says\n";
  return choice.threads;
}

}  // namespace gramflow
