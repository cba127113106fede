// How many threads run, wherever the program runs.
#include <doctest/doctest.h>

#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/base/cores.h"
#include "framework/base/error.h"
#include "pipelines/thread_choice.h"
#include "tests/pipelines/program.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

ThreadChoice chosen(int option, int cores, std::map<std::string, std::string> environment) {
  return choose_threads(option, cores, [&](const char* name) { return environment[name]; });
}

/// A small run, with its log.
class Run : public TemporaryFolder {
 public:
  Outcome run(const std::string& before, const std::string& more = "") const {
    return run_in(GRAMFLOW_SOURCE_DIR,
                  "run configs/first-light.yaml --set size=48 --set iterations=3 --set output=" +
                      quoted(*this / "o.png") + " --log " + quoted(*this / "log") + " " + more,
                  before);
  }
  int threads() const {
    std::istringstream lines(text_of(*this / "log"));
    std::string line;
    std::getline(lines, line);
    return nlohmann::json::parse(line)["threads"];
  }
};

}  // namespace

TEST_CASE("the option wins, then GRAMFLOW_THREADS, SLURM_CPUS_PER_TASK, OMP_NUM_THREADS, then the cores") {
  CHECK(chosen(0, 6, {}).threads == 6);
  CHECK(chosen(0, 6, {{"OMP_NUM_THREADS", "3"}}).threads == 3);
  CHECK(chosen(0, 6, {{"OMP_NUM_THREADS", "3,2"}}).threads == 3);
  CHECK(chosen(0, 6, {{"OMP_NUM_THREADS", "3"}, {"SLURM_CPUS_PER_TASK", "4"}}).threads == 4);
  CHECK(chosen(0, 6, {{"GRAMFLOW_THREADS", "5"}, {"SLURM_CPUS_PER_TASK", "4"}}).because ==
        "GRAMFLOW_THREADS");
  CHECK(chosen(2, 6, {{"GRAMFLOW_THREADS", "5"}}).threads == 2);
  CHECK(chosen(0, 6, {{"OMP_NUM_THREADS", "many"}}).threads == 6);
  CHECK_THROWS_AS(chosen(0, 6, {{"GRAMFLOW_THREADS", "many"}}), InvalidPipeline);
  CHECK_THROWS_AS(chosen(0, 6, {{"GRAMFLOW_THREADS", "0"}}), InvalidPipeline);
}

TEST_CASE("more than four threads a core are cut off with a warning") {
  CHECK(chosen(8, 2, {}).warning == "");
  CHECK(chosen(9, 2, {}).threads == 8);
  CHECK(chosen(9, 2, {}).warning != "");
  CHECK(chosen(0, 1, {{"OMP_NUM_THREADS", "64"}}).threads == 4);
}

TEST_CASE("what the environment says is heard, and told") {
  const Run run;
  const Outcome outcome = run.run("GRAMFLOW_THREADS=1");
  CHECK(outcome.code == 0);
  CHECK(outcome.says("1 thread, as GRAMFLOW_THREADS says"));
  CHECK(run.threads() == 1);
  CHECK(run.run("GRAMFLOW_THREADS=x").code == 2);
  CHECK(run.run("", "--threads 4000").says("are the most that make sense"));
  CHECK(run.threads() == 4 * usable_cores());
}

TEST_CASE("OpenMP's binding leaves the threads all their cores") {
  if (usable_cores() < 2) return;
  const Run run;
  for (const std::string variable : {"OMP_PROC_BIND=true", "OMP_PROC_BIND=close OMP_PLACES=cores",
                                     "OMP_PLACES='{0}'", "GOMP_CPU_AFFINITY=0"}) {
    CAPTURE(variable);
    CHECK(run.run(variable).code == 0);
    CHECK(run.threads() == usable_cores());
  }
}

TEST_CASE("under a limit on processes there are fewer threads, or an answer; never a crash") {
  // Root has no limit of processes: the run is made as another user, with a number of processes of its own.
  if (::geteuid() != 0 || std::system("command -v setpriv >/dev/null 2>&1") != 0) return;
  for (int limit = 1; limit <= 12; ++limit) {
    CAPTURE(limit);
    const Run run;  // a folder for each user
    std::filesystem::permissions(run.path(), std::filesystem::perms::all);
    const std::string other = std::to_string(61000 + limit);
    const Outcome outcome =
        run.run("setpriv --reuid=" + other + " --clear-groups prlimit --nproc=" + std::to_string(limit),
                "--threads 4");
    CAPTURE(outcome.err);
    CHECK((outcome.code == 0 || outcome.code == 3));
    if (outcome.code == 0 && limit <= 8) CHECK(outcome.says("can be started"));
    if (outcome.code == 3) CHECK(outcome.says("threads can be started"));
    if (limit == 12) CHECK(outcome.code == 0);
  }
}

TEST_CASE("colours and drawn lines respect NO_COLOR and TERM=dumb; a folder is no pipeline") {
  const TemporaryFolder folder;
  if (std::system("command -v script >/dev/null 2>&1") != 0) return;
  const auto on_terminal = [&](const std::string& variables, const std::string& arguments) {
    const std::string command = "cd " GRAMFLOW_SOURCE_DIR " && " + variables + " script -qec " +
                                quoted(quoted(program_path()) + " " + arguments) + " /dev/null >" +
                                quoted(folder / "said") + " </dev/null";
    std::system(command.c_str());
    return text_of(folder / "said");
  };
  const std::string mistake = "check configs/first-light.yaml --set nobody=1";
  CHECK(on_terminal("TERM=xterm", mistake).find("\033[") != std::string::npos);
  CHECK(on_terminal("TERM=xterm NO_COLOR=1", mistake).find("\033[") == std::string::npos);
  CHECK(on_terminal("TERM=dumb", mistake).find("\033[") == std::string::npos);
  const std::string run = "run configs/first-light.yaml --set size=48 --set iterations=5 --set output=" +
                          quoted(folder / "o.png");
  CHECK(on_terminal("TERM=dumb", run).find("\033[") == std::string::npos);
  CHECK(run_in(GRAMFLOW_SOURCE_DIR, "check configs").code == 2);
}
