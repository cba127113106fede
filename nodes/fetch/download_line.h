#pragma once
// How far a download is, in one line.
#include <string>

#include "nodes/fetch/download.h"

namespace gramflow {

/// "[########------------]  40 %  219 MiB of 548 MiB  12.3 MiB/s  27 s left"; without a total only what has
/// arrived. `seconds` and `bytes` are of this run: what an earlier one left on the disk says nothing about
/// the speed.
std::string progress_line(const DownloadProgress& progress, double seconds, std::uint64_t bytes);

}  // namespace gramflow
