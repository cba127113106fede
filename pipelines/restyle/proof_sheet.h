#pragma once
// Many small pictures on one sheet, each with its label above it.
#include <string>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow {

struct Proof {
  Picture picture;
  std::string label;
};

/// Row by row, `columns` in a row; cells are as large as the largest picture. `proofs` is not empty.
Picture proof_sheet(const std::vector<Proof>& proofs, std::size_t columns);

}  // namespace gramflow
