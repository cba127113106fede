#pragma once
// Arrays of a MATLAB file (5 to 7.3), through libmatio, which was not written for hostile input:
// matlab_file.cpp calls this in a child process.
#include <string>
#include <vector>

#include "nodes/features/import/packed_listing.h"

namespace gramflow {

/// Every real array of single or double precision by the way to it: "net.layers.3.weights.0"; those of
/// MatConvNet's layers by the layer: "conv1_1.weight". Texts: "matconvnet" when there were such layers,
/// "mean" (red, green, blue) when the file says what it subtracts, "padding NAME" and "trouble NAME" of
/// kernels. Throws RunError.
Listing list_matlab(const std::string& path);

/// The numbers of the arrays of these names, as float, the last side running fastest. Throws RunError.
std::vector<std::vector<float>> read_matlab(const std::string& path, const std::vector<SourceTensor>& arrays);

}  // namespace gramflow
