#pragma once
// Where a relative path means: the place where it was written.
//
// Typed at a shell (--set, ${env:NAME}) it starts at the current folder, in a file at that file's folder: an
// included file's own, and for the default of a subgraph's parameter the file of the subgraph. Of a text that
// is put together the first part decides. A file that is a link has two folders, its own and then that of
// what it leads to. Elsewhere is looked only when nothing is there, and that is told: for what was typed
// beside the pipeline, for what a file says beside the main file and in the current folder.
#include <string>
#include <vector>

#include "framework/config/value.h"

namespace gramflow {

struct FoundFile {
  std::string path;                 ///< as the current folder names it; "" when it is nowhere
  std::vector<std::string> looked;  ///< every place, first to last
  /// What a reader would not expect: that it was found elsewhere, or that there are two. "" for nothing.
  std::string told;
  bool elsewhere = false;  ///< what is told is the former
};

/// `path` is what `value` says; `main_folder` that of the main file, "." for the current one.
FoundFile find_written(const std::string& path, const Value& value, const std::string& main_folder);

/// Reports what is told, as a warning at the value.
void tell_found(const FoundFile& found, const Value& value, Diagnostics& diagnostics);

/// Folder of a file, and those that it leads to when it is a link; "" for the current one.
std::vector<std::string> folders_beside(const std::string& file);

}  // namespace gramflow
