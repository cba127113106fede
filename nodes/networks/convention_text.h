#pragma once
// An input convention as one line of text, as it stands in the metadata of weights files and in messages:
// "rgb x 1, mean 0.485 0.456 0.406, std 0.229 0.224 0.225".
#include <optional>
#include <string>

#include "nodes/networks/convention.h"

namespace gramflow {

/// Numbers are written so that they read back exactly.
std::string convention_text(const InputConvention& convention);
/// nullopt when the text is not of that form, or a scale or std is 0 or not finite.
std::optional<InputConvention> parse_convention(const std::string& text);

/// What torchvision's and timm's VGGs want, and what Keras's and Caffe's want.
InputConvention torchvision_convention();
InputConvention caffe_convention();

}  // namespace gramflow
