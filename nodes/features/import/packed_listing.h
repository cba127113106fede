#pragma once
// What a child process that reads a file tells its parent, as bytes.
#include <map>
#include <string>
#include <vector>

#include "nodes/features/import/tensor_source.h"

namespace gramflow {

struct Listing {
  std::vector<SourceTensor> tensors;
  std::map<std::string, std::string> texts;
};
std::string pack_listing(const Listing& listing);
/// Of what pack_listing() made. Throws RunError for anything else: the child may have been taken over by its
/// file.
Listing unpack_listing(const std::string& bytes);

}  // namespace gramflow
