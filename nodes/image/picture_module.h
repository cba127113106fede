#pragma once
// The way to the module gramflow-pictures.so, which writes pictures (nodes/image/encode): loaded when first
// needed. Internal to nodes/image: others use picture_io.h.
#include "nodes/image/encode/encoder.h"

namespace gramflow::encode {

/// What the module gives, by way of its one symbol, `gramflow_pictures`.
struct Module {
  decltype(&encode) encode_picture;
  decltype(&profile_problem) problem_of_profile;
};

/// Loads the module, once, and never unloads it, so what it made lives as long as anyone likes. Throws
/// MissingResource when it is not beside the program.
const Module& picture_module();

}  // namespace gramflow::encode
