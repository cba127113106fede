#pragma once
// Answers to what people bring into a network's file from other programs.
#include "framework/config/value.h"

namespace gramflow {

/// Reports each known habit (bias: false, kind: avg, mean: 0.5, stride, groups, leaky ReLU) with what to
/// write instead, and gives the rest back for decoding, so that nothing is told twice. `root` must be a map.
ValuePtr advise_on_network(const ValuePtr& root, Diagnostics& diagnostics);

/// Warnings about an input that is probably not meant: means outside of what a picture has, nearly 0 at 255,
/// Caffe's in reverse. `value` is the input's map.
void warn_about_input(const Value& value, double scale, const std::vector<double>& mean,
                      Diagnostics& diagnostics);

}  // namespace gramflow
