#pragma once
// What input a file's weights want. A VGG that wants BGR of 0 to 255 and gets normalised RGB gives pictures
// that look like a failed experiment, so this is known, or asked.
#include <array>
#include <optional>
#include <string>

#include "nodes/import/import_weights.h"
#include "nodes/import/tensor_naming.h"
#include "nodes/weights/checksum.h"

namespace gramflow {

struct ChosenConvention {
  std::optional<InputConvention> known;  ///< empty: whatever the network says
  std::string reason;
};

/// By what the user says, the file says, its checksum, its kind and its names; the numbers of the first
/// convolution (`first`, OIHW, of `channels` filters) confirm that or lead to a question, which is a
/// RunError. An empty `first` confirms nothing.
ChosenConvention choose_convention(const ImportOptions& options, const TensorSource& source,
                                   const TensorSet& set, const Checksums& checksums,
                                   const std::vector<float>& first, std::int64_t channels);

/// What import does to the first convolution when weights want `from` and the network gives `to`: a factor
/// for each input channel (red, green, blue), which with an exchange of channels is all; nullopt when that
/// would not be exact at a border of zeros.
std::optional<std::array<double, 3>> exact_change(const InputConvention& from, const InputConvention& to);

}  // namespace gramflow
