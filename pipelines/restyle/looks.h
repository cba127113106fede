#pragma once
// The looks that come with gramflow: one pipeline file each in configs/styles, with variables content, style, size and
// output, most of them stroke.
#include <string>
#include <vector>

#include "nodes/networks/network.h"

namespace gramflow {

/// Names, sorted: "bold", "strokes" and so on. The folder lies beside that of the networks. Throws MissingResource
/// when there is none.
std::vector<std::string> look_names(const NetworkPaths& paths);

/// The file of a look: one of the names, or a path to such a file (it ends in .yaml). Throws InvalidPipeline with what
/// there is when there is no such look, MissingResource when there is no such file.
std::string look_file(const std::string& look, const NetworkPaths& paths);

/// Whether a pipeline file, or one that it includes, has a variable of this name.
bool has_variable(const std::string& file, const std::string& name);

}  // namespace gramflow
