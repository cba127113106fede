#pragma once
// What the painting shows: an evening sky of whirls around a low sun, blue hills, a river through fields.
// Places are in heights of the picture: u from 0 to about 1.5, v from 0 (top) to 1. Colours are sRGB-encoded,
// as on a palette.
#include "scripts/samples/drawing.h"

namespace gramflow::drawing {

/// Which way the brush goes: a unit vector, to either side.
struct BrushFlow {
  float x;
  float y;
};
BrushFlow motif_flow(float u, float v);

/// `chance` in [0, 1) picks between the colours that stand side by side at a place.
Vec motif_colour(float u, float v, float chance);

/// How much finer than usual the strokes are: 1 in the open, more at the horizon.
float motif_fineness(float u, float v);

}  // namespace gramflow::drawing
