#pragma once
// The sky over the landscape.
#include "scripts/samples/drawing.h"

namespace gramflow::drawing {

/// Linear light from the sky along a ray from `from`. The clouds are sampled in `steps` steps, shifted by
/// `jitter` in [0, 1).
Vec sky(Vec from, Vec along, int steps, float jitter);

}  // namespace gramflow::drawing
