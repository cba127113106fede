#pragma once
// How many threads a command uses: --threads, or what the environment says, or all cores that may be used.
#include <functional>
#include <string>

namespace gramflow {

struct ThreadChoice {
  int threads = 1;
  std::string because;  ///< "GRAMFLOW_THREADS" and the like; "" when nobody asked
  std::string warning;  ///< "" for none
};

/// `option` is that of --threads, 0 for none. `environment` gives the value of a variable, "" when it is not
/// set; heard are GRAMFLOW_THREADS, then SLURM_CPUS_PER_TASK, then OMP_NUM_THREADS. More than four threads a
/// core are cut off. Throws InvalidPipeline for a GRAMFLOW_THREADS that is no number.
ThreadChoice choose_threads(int option, int cores,
                            const std::function<std::string(const char*)>& environment);

/// The choice for this process, told on the error stream when it is not what a reader expects. When fewer
/// threads can be started (ulimit -u, pids.max) it is fewer, told as well; MissingResource when there are not
/// even those that libraries need.
int threads_for_command(int option, bool quiet);

}  // namespace gramflow
