#include "framework/config/canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "framework/config/document.h"
#include "framework/config/expand.h"
#include "framework/config/variables.h"
#include "framework/config/yaml_writer.h"

// Every stage is expanded on its own. What all stages agree on stands in the nodes; where they differ, the
// first stage's value stands there and the others set theirs in the schedule. A parameter that only some
// stages have is set by just these.

namespace gramflow {
namespace {

ValuePtr text_value(std::string text) {
  auto value = std::make_shared<Value>();
  value->data = Value::Scalar{std::move(text), false};
  return value;
}

ValuePtr map_value(Value::Map entries) {
  auto value = std::make_shared<Value>();
  value->data = std::move(entries);
  return value;
}

const Entry* find_entry(const NodeEntry* node, const std::string& key) {
  if (node == nullptr) return nullptr;
  const auto found = std::find_if(node->entries.begin(), node->entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found != node->entries.end() ? &*found : nullptr;
}

/// Keys of a node in all stages, in the order of the first that has them.
std::vector<std::string> keys_of(const std::vector<const NodeEntry*>& stages) {
  std::vector<std::string> keys;
  for (const NodeEntry* node : stages) {
    if (node == nullptr) continue;
    for (const Entry& entry : node->entries)
      if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) keys.push_back(entry.key);
  }
  return keys;
}

}  // namespace

ValuePtr with_doubled_dollars(const Value& value) {
  auto result = std::make_shared<Value>();
  result->data = value.data;
  if (const Value::Scalar* scalar = value.scalar()) {
    result->data = Value::Scalar{escape_dollars(scalar->text), scalar->quoted};
  } else if (const Value::List* items = value.list()) {
    Value::List changed;
    for (const ValuePtr& item : *items) changed.push_back(with_doubled_dollars(*item));
    result->data = std::move(changed);
  } else if (const Value::Map* entries = value.map()) {
    Value::Map changed;
    for (const Entry& entry : *entries)
      changed.push_back({entry.key, {}, with_doubled_dollars(*entry.value)});
    result->data = std::move(changed);
  }
  return result;
}

ValuePtr canonical_value(const PipelineSource& source, Diagnostics& diagnostics, const IsPort& is_port,
                         const Respell& respell) {
  std::vector<Document> documents;
  documents.push_back(expand(source, 0, diagnostics, is_port));
  for (int stage = 1; stage < documents[0].stages; ++stage)
    documents.push_back(expand(source, stage, diagnostics, is_port));
  if (diagnostics.has_errors()) return nullptr;

  const std::size_t count = documents.size();
  Value::Map nodes;
  std::vector<Value::Map> settings(count);
  for (std::size_t index = 0; index < documents[0].nodes.size(); ++index) {
    const NodeEntry& first = documents[0].nodes[index];
    std::vector<const NodeEntry*> stages;  // expansion keeps the order, whatever a stage sets
    for (const Document& document : documents) stages.push_back(&document.nodes[index]);
    Value::Map entries = {{"type", {}, text_value(escape_dollars(first.type))}};
    for (const std::string& key : keys_of(stages)) {
      std::vector<ValuePtr> values;
      for (const NodeEntry* node : stages) {
        const Entry* entry = find_entry(node, key);
        ValuePtr other = entry != nullptr && respell ? respell(*node, *entry) : nullptr;
        values.push_back(other != nullptr   ? other
                         : entry != nullptr ? with_doubled_dollars(*entry->value)
                                            : nullptr);
      }
      const bool everywhere = std::find(values.begin(), values.end(), nullptr) == values.end();
      if (everywhere) entries.push_back({key, {}, values[0]});
      for (std::size_t stage = 0; stage < count; ++stage) {
        if (values[stage] == nullptr || (everywhere && to_yaml(*values[stage]) == to_yaml(*values[0])))
          continue;
        settings[stage].push_back({"nodes." + first.id + "." + key, {}, values[stage]});
      }
    }
    nodes.push_back({first.id, {}, map_value(std::move(entries))});
  }

  Value::Map top = {{"version", {}, text_value("1")}, {"nodes", {}, map_value(std::move(nodes))}};
  if (count > 1) {
    Value::List schedule;
    for (Value::Map& stage : settings)
      schedule.push_back(map_value({{"set", {}, map_value(std::move(stage))}}));
    auto list = std::make_shared<Value>();
    list->data = std::move(schedule);
    top.push_back({"schedule", {}, list});
  }
  return map_value(std::move(top));
}

std::string canonical_yaml(const PipelineSource& source, Diagnostics& diagnostics, const IsPort& is_port,
                           const Respell& respell) {
  const ValuePtr value = canonical_value(source, diagnostics, is_port, respell);
  return value != nullptr ? to_yaml(*value) : "";
}

// FNV-1a with 128 bits; its prime is 2^88 + 0x13B, so that a product is a shift and a small multiplication.
std::string content_hash(std::string_view text) {
  std::uint64_t high = 0x6c62272e07bb0142ULL;
  std::uint64_t low = 0x62b821756295c58dULL;
  constexpr std::uint64_t factor = 0x13B;
  for (const char letter : text) {
    low ^= static_cast<unsigned char>(letter);
    const std::uint64_t low_part = (low & 0xFFFFFFFFULL) * factor;
    const std::uint64_t high_part = (low >> 32) * factor + (low_part >> 32);
    const std::uint64_t carry = high_part >> 32;
    high = high * factor + carry + (low << 24);
    low = (high_part << 32) | (low_part & 0xFFFFFFFFULL);
  }
  return fmt::format("{:016x}{:016x}", high, low);
}

}  // namespace gramflow
