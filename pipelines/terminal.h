#pragma once
// What the error stream can show.

namespace gramflow {

/// Whether lines may be drawn over: a terminal that is no dumb one (TERM).
bool can_redraw();
/// Whether colours may be used: such a terminal, and no NO_COLOR (https://no-color.org).
bool can_color();

}  // namespace gramflow
