#pragma once
// What stands near the camera, drawn with strokes over the traced picture.
#include "scripts/samples/drawing.h"

namespace gramflow::drawing {

/// The grassy bank and the conifers at the picture's sides.
void draw_foreground(Canvas& canvas);

}  // namespace gramflow::drawing
