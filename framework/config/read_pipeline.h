#pragma once
// The first step: a pipeline's text.
#include <string>
#include <vector>

#include "framework/config/document.h"

namespace gramflow {

/// Reads a file from disk, or standard input for "-", whose relative paths start at the current folder.
/// MissingResource when there is none, with the names close to it; InvalidPipeline for a folder; RunError for
/// one that cannot be read.
PipelineSource read_pipeline(const std::string& path, std::vector<Override> overrides = {});

}  // namespace gramflow
