#pragma once
// Turns what the YAML parser says about a broken text into what its writer should do.
#include <cstddef>
#include <string>

#include "framework/base/diagnostics.h"
#include "framework/config/yaml_text.h"

namespace gramflow {

/// Reports a syntax error that the parser found at an offset. `complaint` is the parser's own sentence.
void report_syntax_error(YamlText& text, std::size_t offset, const std::string& complaint,
                         const std::vector<std::string>& known_anchors, Diagnostics& diagnostics);

}  // namespace gramflow
