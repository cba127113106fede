#include "framework/config/lost_lines.h"

#include <fmt/format.h>

#include "framework/base/text.h"
#include "framework/config/variables.h"

namespace gramflow {

std::size_t lost_lines(const std::vector<Entry>& nodes, std::size_t owner) {
  // A variable may stand for a whole node.
  const auto is_lost = [](const Value& value) {
    return value.list() != nullptr || (value.scalar() != nullptr && !value.scalar()->text.starts_with('$'));
  };
  std::size_t end = owner + 1;
  if (!nodes[owner].value->is_null()) return 0;
  while (end < nodes.size() && is_lost(*nodes[end].value)) ++end;
  return end - owner - 1;
}

Entry report_lost_lines(const Entry& owner, const Entry& first_line, Diagnostics& diagnostics) {
  diagnostics
      .error("wrong-type", first_line.key_span,
             fmt::format("{} is no node, and the node {} above it is empty", quote(first_line.key),
                         quote(owner.key)))
      .suggest(fmt::format("indent the lines that belong to '{}:'", one_line(owner.key)));
  return {owner.key, owner.key_span, broken_value(owner.key_span)};
}

}  // namespace gramflow
