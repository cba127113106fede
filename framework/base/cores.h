#pragma once
// How much of the machine this process may use.
#include <string>

namespace gramflow {

/// Cores that the process may run on (its affinity, as taskset and cpusets give it), but no more than its
/// cgroups' CPU quota pays for (docker --cpus, Kubernetes limits; versions 1 and 2), rounded up. At least 1.
int usable_cores();

/// The quota alone, in cores; 0 without one. Files are read below `root`: "" for the system, another folder
/// in tests.
double quota_cores(const std::string& root = "");

/// How many more threads the process could have now, counted up to `wanted` by starting and ending them:
/// whatever sets the limit (ulimit -u, pids.max), it is met.
int startable_threads(int wanted);

}  // namespace gramflow
