#pragma once
// Sizes as people write them: 512 (longest side), or [450, 300] (width, height).
#include "framework/schema/parameters.h"
#include "nodes/image/resize.h"

namespace gramflow {

template <>
struct ParameterType<WantedSize> {
  static void describe(Field& field);
  static bool decode(const Value& value, WantedSize& size, const DecodeContext& context);
  static std::string text(const WantedSize& size);
};

}  // namespace gramflow
