#pragma once
// Reading YAML that does not start at the first byte of its text.
#include <cstddef>
#include <memory>

#include "framework/config/value.h"

namespace gramflow {

/// As parse_yaml(), of the text from byte `first` on; what stands before is shown in messages only.
ValuePtr parse_yaml_from(std::shared_ptr<const SourceFile> file, std::size_t first, Diagnostics& diagnostics);

}  // namespace gramflow
