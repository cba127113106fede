#pragma once
// A bad file and what is said of it, for tests that compare messages to the letter.
#include <string>
#include <vector>

#include "framework/config/document.h"

namespace gramflow {

/// Names (without .yaml) of the files in a folder.
std::vector<std::string> yaml_names_in(const std::string& folder);
/// Reads a file with the overrides that its first lines give as "# set: key=value".
PipelineSource read_with_settings(const std::string& path);
/// The text of NAME.expected, or with GRAMFLOW_REWRITE_EXPECTED set in the environment: writes `found` there.
std::string expected_text(const std::string& path, const std::string& found);

}  // namespace gramflow
