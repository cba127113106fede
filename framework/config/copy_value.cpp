#include "framework/config/copy_value.h"

#include "framework/config/yaml_text.h"

namespace gramflow {
namespace {

constexpr std::size_t most_notes = 8;  // of variables through variables the nearest ones explain enough

ValuePtr copy(const ValuePtr& value, const Note& note, std::size_t& count, int depth) {
  if (++count > most_copies) throw TooManyValues();
  auto result = std::make_shared<Value>();
  result->span = value->span;
  result->notes = value->notes;
  result->typed = value->typed;
  result->origin = value->origin;
  if (result->notes.size() < most_notes) result->notes.push_back(note);
  if (value->scalar() == nullptr && !value->is_null() && depth >= deepest_nesting) throw TooDeep();
  if (const Value::List* items = value->list()) {
    Value::List copies;
    copies.reserve(items->size());
    for (const ValuePtr& item : *items) copies.push_back(copy(item, note, count, depth + 1));
    result->data = std::move(copies);
  } else if (const Value::Map* entries = value->map()) {
    Value::Map copies;
    copies.reserve(entries->size());
    for (const Entry& entry : *entries)
      copies.push_back({entry.key, entry.key_span, copy(entry.value, note, count, depth + 1)});
    result->data = std::move(copies);
  } else {
    result->data = value->data;
  }
  return result;
}

}  // namespace

ValuePtr copy_with_note(const ValuePtr& value, const Note& note, std::size_t& count, int depth) {
  return copy(value, note, count, depth);
}

}  // namespace gramflow
