#pragma once
// Paths of pipeline files.
#include <string>
#include <vector>

namespace gramflow {

/// Folder part of a path; "." when there is none.
std::string folder_of(const std::string& path);
/// Names of the YAML files in a folder, for suggestions.
std::vector<std::string> yaml_files_in(const std::string& folder);

}  // namespace gramflow
