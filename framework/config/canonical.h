#pragma once
// A pipeline as one self-contained file.
#include <functional>
#include <string>
#include <string_view>

#include "framework/config/document.h"

namespace gramflow {

/// The value with all dollars doubled, as a canonical pipeline has it: reading replaces variables.
ValuePtr with_doubled_dollars(const Value& value);
/// Another way to write a parameter in the canonical pipeline, dollars doubled; null to leave it as it is.
using Respell = std::function<ValuePtr(const NodeEntry& node, const Entry& entry)>;

/// The canonical pipeline: one file, no variables, no includes, no subgraphs; nodes whose parameters differ
/// between stages keep a `schedule:` with `nodes.ID.PARAMETER` keys. Running it gives the same bits as
/// running the source, if `respell` sees to what depends on where things were written.
/// Empty when the source has errors.
std::string canonical_yaml(const PipelineSource& source, Diagnostics& diagnostics, const IsPort& is_port = {},
                           const Respell& respell = {});
/// The same, not yet a text; what `respell` gave stands in it. Null when the source has errors.
ValuePtr canonical_value(const PipelineSource& source, Diagnostics& diagnostics, const IsPort& is_port,
                         const Respell& respell);
/// 128-bit hash (FNV-1a) of the canonical text as 32 hex digits.
std::string content_hash(std::string_view text);

}  // namespace gramflow
