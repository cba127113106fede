#pragma once
// The second step: includes read, subgraphs put in, variables replaced, settings applied.
#include "framework/config/document.h"

namespace gramflow {

/// Expands for one stage (from 0). Mistakes go to `diagnostics` (all of them; those of every stage's `set:`
/// are found in any call); what could be understood is returned, so that later passes can find more. Reads
/// included files.
Document expand(const PipelineSource& source, int stage, Diagnostics& diagnostics,
                const IsPort& is_port = {});

}  // namespace gramflow
