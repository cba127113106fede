#include "framework/config/document.h"

#include <algorithm>

namespace gramflow {

const NodeEntry* Document::find(std::string_view id) const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const NodeEntry& node) { return node.id == id; });
  return found != nodes.end() ? &*found : nullptr;
}

}  // namespace gramflow
