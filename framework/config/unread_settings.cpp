#include "framework/config/unread_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"

namespace gramflow {
namespace {

void add(const std::shared_ptr<const SourceFile>& file, std::set<std::string>& texts) {
  if (file != nullptr && file->typed_for()) texts.insert(file->text());
}

void add_sources(const Value& value, std::set<std::string>& texts) {
  add(value.span.file, texts);
  add(value.origin, texts);
  for (const Note& note : value.notes) add(note.span.file, texts);
  if (value.typed != nullptr)
    for (const auto& source : value.typed->sources) add(source, texts);
  if (const Value::List* items = value.list())
    for (const ValuePtr& item : *items) add_sources(*item, texts);
  if (const Value::Map* entries = value.map())
    for (const Entry& entry : *entries) add_sources(*entry.value, texts);
}

/// Whether `later` sets the same thing, or a whole that holds it.
bool overrides(const Setting& later, const Setting& setting) {
  if (!setting.variable.empty()) return later.variable == setting.variable;
  return later.variable.empty() && later.node == setting.node && later.path.size() <= setting.path.size() &&
         std::equal(later.path.begin(), later.path.end(), setting.path.begin());
}

}  // namespace

void add_typed_sources(const Document& document, std::set<std::string>& texts) {
  for (const NodeEntry& node : document.nodes)
    for (const Entry& entry : node.entries) add_sources(*entry.value, texts);
}

void report_unread_settings(const std::vector<Setting>& settings, const std::set<std::string>& read,
                            Diagnostics& diagnostics) {
  for (auto setting = settings.begin(); setting != settings.end(); ++setting) {
    const auto later = std::find_if(setting + 1, settings.end(),
                                    [&](const Setting& other) { return overrides(other, *setting); });
    const std::string& text = setting->key_span.file->text();
    if (later != settings.end()) {
      diagnostics
          .warning("unused-setting", setting->key_span,
                   fmt::format("--set {} changes nothing: a later one wins", quote(text)))
          .note("the one that wins", later->key_span);
    } else if (!read.contains(text)) {
      Diagnostic& diagnostic = diagnostics.warning("unused-setting", setting->key_span,
                                                   fmt::format("--set {} changes nothing", quote(text)));
      diagnostic.suggest(setting->variable.empty()
                             ? "another setting wins"
                             : fmt::format("nothing that runs reads the variable '{}'", setting->variable));
    }
  }
}

}  // namespace gramflow
