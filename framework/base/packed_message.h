#pragma once
// What two programs of one build say to each other (child_program.h): numbers and texts, one after the other.
// No format that others could rely on.
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gramflow {

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
    if (count > left_.size()) throw std::runtime_error("the message is cut short");
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
    if (count > left_.size()) throw std::runtime_error("the message is cut short");
    std::memcpy(to, left_.data(), count);
    left_.remove_prefix(count);
  }
  std::string_view left_;
};

}  // namespace gramflow
