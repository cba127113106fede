#pragma once
// What gramflow and its child program gramflow-decoder say to each other. Both come from one build, so this
// is no format that others could rely on. Messages are packed numbers and texts; pixels and what is longer
// stand in shared memory.
//
//   gramflow                                          gramflow-decoder
//                                              <-     greeting
//   Request{header or pixels, path, limits}    ->
//                                              <-     header (in shared memory) | refusal
//   (pixels:)                                  <-     rows: pixels [first, first + count) as RGB floats in
//   shared memory "go on"                                    ->     ... again and again, in the file's order,
//   then
//                                              <-     done | refusal
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gramflow::decoder_protocol {

inline constexpr std::string_view greeting = "gramflow-decoder 1";
inline constexpr std::string_view go_on = "go on";
inline constexpr std::size_t shared_bytes = std::size_t{8} << 20;

enum class Kind : std::uint64_t { header, pixels, rows, done, damaged, not_read, out_of_memory };

/// Numbers and texts one after the other.
class Packer {
 public:
  Packer& number(std::uint64_t value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Packer& real(double value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Packer& text(std::string_view value) {
    number(value.size());
    text_.append(value);
    return *this;
  }
  Packer& bytes(const std::vector<unsigned char>& value) {
    return text({reinterpret_cast<const char*>(value.data()), value.size()});
  }
  const std::string& packed() const { return text_; }

 private:
  std::string text_;
};

/// The same back. Trusts nothing: throws std::runtime_error at the end of the message.
class Unpacker {
 public:
  explicit Unpacker(std::string_view text) : left_(text) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    take(&value, sizeof value);
    return value;
  }
  double real() {
    double value = 0;
    take(&value, sizeof value);
    return value;
  }
  std::string text() {
    const std::uint64_t count = number();
    if (count > left_.size()) throw std::runtime_error("the decoder's answer is cut short");
    std::string found(left_.substr(0, count));
    left_.remove_prefix(count);
    return found;
  }
  std::vector<unsigned char> bytes() {
    const std::string found = text();
    return {found.begin(), found.end()};
  }

 private:
  void take(void* to, std::size_t count) {
    if (count > left_.size()) throw std::runtime_error("the decoder's answer is cut short");
    std::memcpy(to, left_.data(), count);
    left_.remove_prefix(count);
  }
  std::string_view left_;
};

}  // namespace gramflow::decoder_protocol
