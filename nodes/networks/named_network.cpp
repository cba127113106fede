#include "nodes/networks/named_network.h"

#include "framework/config/written_path.h"

namespace gramflow {

namespace {

std::shared_ptr<const Network> find(LowerContext& context, NetworkLibrary& library, const std::string& name) {
  const Span place = context.node().span_of("network");
  const Value* value = context.node().value_of("network");
  if (value == nullptr || !is_network_path(name))
    return library.network(name, context.directory(), place, context.diagnostics());
  const FoundFile found = find_written(name, *value, context.directory());
  tell_found(found, *value, context.diagnostics());
  if (!found.path.empty()) return library.network(found.path, ".", place, context.diagnostics());
  Diagnostic& diagnostic =
      context.error("unknown-network", "network", "there is no network file '" + name + "'");
  diagnostic.suggest("a relative path starts at the file it is written in, or typed at a shell here");
  for (const std::string& looked : found.looked) diagnostic.note("looked for " + looked);
  return nullptr;
}

}  // namespace

std::shared_ptr<const Network> named_network(LowerContext& context, NetworkLibrary& library,
                                             const std::string& name) {
  std::shared_ptr<const Network> network = find(context, library, name);
  if (network) context.uses_file("network", network->file, false, "network");
  return network;
}

}  // namespace gramflow
