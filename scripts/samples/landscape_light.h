#pragma once
// What a ray of sight brings back from the landscape.
#include "scripts/samples/landscape_world.h"

namespace gramflow::drawing {

/// Linear light along a ray from the camera. `jitter` in [0, 1) shifts the samples of the clouds.
Vec trace(const World& world, Vec camera, Vec along, float jitter);

}  // namespace gramflow::drawing
