#include "nodes/image/size_parameter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace gramflow {
namespace {

constexpr int largest_side = 65536;

bool decode_side(const Value& value, int& side, const DecodeContext& context) {
  const std::vector<Constraint> limits = {at_least(1), at_most(largest_side)};
  return ParameterType<int>::decode(value, side, {context.name, limits, context.diagnostics});
}

bool is_side(const std::string& digits) {
  int side = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), side);
  return problem == std::errc() && end == digits.data() + digits.size() && side >= 1 && side <= largest_side;
}

/// "write [512, 341]" for 512x341, "write 128" for 128px, "write 64" for 0x40; "" when there is no telling or
/// when that would be a mistake as well.
std::string meant_size(std::string text) {
  constexpr const char* digits = "0123456789";
  if (text.starts_with("0x") || text.starts_with("0X")) {
    unsigned side = 0;
    const auto [end, problem] = std::from_chars(text.data() + 2, text.data() + text.size(), side, 16);
    const std::string number = fmt::format("{}", side);
    return problem == std::errc() && end == text.data() + text.size() && is_side(number) ? "write " + number
                                                                                         : "";
  }
  for (const char separator : {',', '_', '\'', ' '}) {
    std::string joined = text;
    std::erase(joined, separator);
    const std::size_t at = text.find(separator);
    if (at != std::string::npos && text.size() - at == 4 && is_side(joined))
      return "write " + joined;  // 1,024
  }
  const std::size_t first = text.find_first_not_of(digits);
  if (first == 0 || first == std::string::npos) return "";
  const std::size_t second = text.find_first_of(digits, first);
  const std::string one = text.substr(0, first);
  if (second == std::string::npos) return text[first] != '%' && is_side(one) ? "write " + one : "";
  const std::string other = text.substr(second);
  const bool times = text.find_first_not_of("xX*, ", first) == second && other[0] != '0';
  return times && is_side(one) && is_side(other) ? fmt::format("write [{}, {}]", one, other) : "";
}

}  // namespace

void ParameterType<WantedSize>::describe(Field& field) {
  field.type = "number or [width, height]";
  const std::string side = fmt::format(R"({{"type":"integer","minimum":1,"maximum":{}}})", largest_side);
  field.json_schema =
      fmt::format(R"("anyOf":[{0},{{"type":"array","items":{0},"minItems":2,"maxItems":2}}])", side);
}

bool ParameterType<WantedSize>::decode(const Value& value, WantedSize& size, const DecodeContext& context) {
  if (!context.readable(value)) return false;
  if (const Value::List* sides = value.list()) {
    const auto unset = std::count_if(sides->begin(), sides->end(),
                                     [](const ValuePtr& side) { return side->is_null() && !side->broken; });
    if (unset == 2 && sides->size() == 2) return true;  // [$width, $height], both of them unset
    if (unset > 0) {
      context.wrong_type(value, "one number (the longest side) or [width, height]")
          .suggest("unset both sides or none");
      return false;
    }
    if (sides->size() != 2) {
      context.error("wrong-type", value,
                    fmt::format("'{}' takes one number or [width, height], found a list of {}", context.name,
                                sides->size()));
      return false;
    }
    int width = 0, height = 0;
    const bool good = decode_side(*(*sides)[0], width, context);
    if (!decode_side(*(*sides)[1], height, context) || !good) return false;
    size = WantedSize::exactly(width, height);
    return true;
  }
  double number = 0;
  const Value::Scalar* scalar = value.scalar();
  if (scalar == nullptr || scalar->quoted || !parse_number(scalar->text, number)) {
    context.wrong_type(value, "one number (the longest side) or [width, height]")
        .suggest(scalar == nullptr ? "" : meant_size(scalar->text));
    return false;
  }
  int longest = 0;
  if (!decode_side(value, longest, context)) return false;
  size = WantedSize::longest_side(longest);
  return true;
}

std::string ParameterType<WantedSize>::text(const WantedSize& size) {
  if (size == WantedSize{}) return "";
  return size.longest > 0 ? std::to_string(size.longest) : fmt::format("[{}, {}]", size.width, size.height);
}

}  // namespace gramflow
