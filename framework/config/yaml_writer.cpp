#include "framework/config/yaml_writer.h"

#include <fmt/format.h>

#include "framework/base/text.h"
#include "framework/config/value.h"

// Block style has two spaces a level. A text is written plain only when it was plain or cannot be
// mistaken for anything else; otherwise in double quotes, where every byte can be spelt.

namespace gramflow {
namespace {

bool is_word(std::string_view text) {
  for (const char letter : text) {
    const bool safe = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= '0' && letter <= '9') || letter == '_' || letter == '.' || letter == '/' ||
                      letter == '-' || letter == '+' || letter == '$';
    if (!safe) return false;
  }
  return !text.empty() && text != "-" && !text.starts_with("---") && !text.starts_with("...");
}

/// What a plain text could be read as, though it was quoted.
bool reads_as_something_else(std::string_view text) {
  double number = 0;
  for (const std::string_view word : {"true", "false", "null", "Null", "NULL", "~", "yes", "no", "on", "off"})
    if (text == word) return true;
  return parse_number(text, number);
}

std::string double_quoted(std::string_view text) {
  std::string result = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(text, at);
    if (point == '"' || point == '\\') {
      result += '\\';
      result += static_cast<char>(point);
    } else if (point == '\n') {
      result += "\\n";
    } else if (point == '\t') {
      result += "\\t";
    } else if (point == invalid_code_point) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[begin]));
    } else if (point < 0x20 || (point >= 0x7F && point < 0xA0)) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned>(point));
    } else {
      result += text.substr(begin, at - begin);
    }
  }
  return result + '"';
}

std::string scalar_text(const Value::Scalar& scalar) {
  const bool plain = is_word(scalar.text) && (!scalar.quoted || !reads_as_something_else(scalar.text));
  return plain ? scalar.text : double_quoted(scalar.text);
}

/// `${env:NAME}` alone, whose value keeps its type only without quotes, which block style allows.
bool is_plain_variable(const Value::Scalar& scalar) {
  const std::string& text = scalar.text;
  return !scalar.quoted && text.starts_with("${env:") && text.ends_with('}') &&
         is_word(text.substr(6, text.size() - 7));
}

std::string key_text(const std::string& key) {
  return is_word(key) && key != "null" ? key : double_quoted(key);
}

bool is_block(const Value& value) {
  return (value.list() != nullptr && !value.list()->empty()) ||
         (value.map() != nullptr && !value.map()->empty());
}

void write(const Value& value, std::size_t indentation, std::string& out);

/// A value behind "key:" or "-", with the line ending.
void write_behind(const Value& value, std::size_t indentation, std::string& out) {
  out += is_block(value) ? "\n" : " ";
  write(value, indentation, out);
}

void write(const Value& value, std::size_t indentation, std::string& out) {
  const std::string margin(indentation, ' ');
  if (value.is_null()) {
    out += "~\n";
  } else if (const Value::Scalar* scalar = value.scalar()) {
    out += (is_plain_variable(*scalar) ? scalar->text : scalar_text(*scalar)) + "\n";
  } else if (const Value::List* items = value.list()) {
    if (items->empty()) out += "[]\n";
    for (const ValuePtr& item : *items) {
      // The first line of an inner block follows the dash: the margin of its first entry makes room for it.
      const std::size_t begin = out.size();
      if (is_block(*item)) {
        write(*item, indentation + 2, out);
        out[begin + indentation] = '-';
      } else {
        out += margin + "- ";
        write(*item, indentation + 2, out);
      }
    }
  } else if (const Value::Map* entries = value.map()) {
    if (entries->empty()) out += "{}\n";
    for (const Entry& entry : *entries) {
      out += margin + key_text(entry.key) + ":";
      write_behind(*entry.value, indentation + 2, out);
    }
  }
}

}  // namespace

std::string to_yaml(const Value& value) {
  std::string out;
  write(value, 0, out);
  return out;
}

std::string to_flow_yaml(const Value& value) {
  std::string out;
  if (const Value::Scalar* scalar = value.scalar()) return scalar_text(*scalar);
  if (const Value::List* items = value.list()) {
    for (const ValuePtr& item : *items) out += (out.empty() ? "" : ", ") + to_flow_yaml(*item);
    return "[" + out + "]";
  }
  if (const Value::Map* entries = value.map()) {
    for (const Entry& entry : *entries)
      out += (out.empty() ? "" : ", ") + key_text(entry.key) + ": " + to_flow_yaml(*entry.value);
    return "{" + out + "}";
  }
  return "~";
}

}  // namespace gramflow
