#pragma once
// What processes leave that were killed while they wrote.
#include <filesystem>

namespace gramflow {

/// Removes gramflow's temporaries of processes that are gone (replaced_file.h), and locks that nobody holds
/// (output_lock.h), from a folder. What is in use, or cannot be removed, stays.
void remove_stale_files(const std::filesystem::path& folder);

}  // namespace gramflow
