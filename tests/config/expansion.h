#pragma once
// Short ways to expand a text and to look at the result.
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/text.h"
#include "framework/config/document.h"
#include "framework/config/expand.h"
#include "framework/config/yaml_writer.h"

namespace gramflow {

/// An expanded text and what was said about it.
struct Expansion {
  Document document;
  Diagnostics diagnostics;

  /// A parameter of a node in YAML on one line; "-" when it is not there.
  std::string value(std::string_view node, std::string_view key) const {
    const NodeEntry* entry = document.find(node);
    if (entry == nullptr) return "-";
    for (const Entry& item : entry->entries)
      if (item.key == key) return flat(to_yaml(*item.value));
    return "-";
  }
  /// "id:type id:type"
  std::string nodes() const {
    std::string text;
    for (const NodeEntry& node : document.nodes)
      text += (text.empty() ? "" : " ") + node.id + ":" + node.type;
    return text;
  }
  /// Codes of the findings in their order.
  std::string codes() const {
    std::string text;
    for (const Diagnostic& item : diagnostics.sorted()) text += (text.empty() ? "" : " ") + item.code;
    return text;
  }
  static std::string flat(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (char& letter : text)
      if (letter == '\n') letter = '|';
    return text;
  }
};

inline PipelineSource source_of(std::string text, std::vector<Override> overrides = {},
                                std::string name = "pipeline.yaml") {
  return {std::make_shared<SourceFile>(std::move(name), std::move(text)), std::move(overrides), {}};
}

inline Expansion expanded(std::string text, std::vector<Override> overrides = {}, int stage = 0,
                          const IsPort& is_port = {}) {
  Expansion result;
  result.document = expand(source_of("version: 1\n" + std::move(text), std::move(overrides)), stage,
                           result.diagnostics, is_port);
  return result;
}

}  // namespace gramflow
