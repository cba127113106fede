#pragma once
// From YAML text to values, with the place of every piece.
#include <cstddef>
#include <memory>

#include "framework/config/value.h"

namespace gramflow {

/// Reads one YAML document. Reports syntax errors, duplicate keys, non-scalar keys, merge keys, unknown
/// anchors, more than one document, and the limits of yaml_text.h (8 MiB, 200 levels, 500 000 values after
/// aliases); nullptr when nothing useful was left.
ValuePtr parse_yaml(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics);

/// As parse_yaml(), of the text from byte `first` on; what stands before is shown in messages only.
ValuePtr parse_yaml_from(std::shared_ptr<const SourceFile> file, std::size_t first, Diagnostics& diagnostics);

}  // namespace gramflow
