#include "framework/checkpoint/content_checksum.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <new>
#include <vector>

namespace gramflow {

struct ContentChecksum::State {
  XXH3_state_t* xxh3 = XXH3_createState();
  ~State() { XXH3_freeState(xxh3); }
};

ContentChecksum::ContentChecksum() : state_(std::make_unique<State>()) {
  if (state_->xxh3 == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state_->xxh3);
}
ContentChecksum::~ContentChecksum() = default;

void ContentChecksum::update(const void* bytes, std::size_t count) {
  if (count > 0) XXH3_128bits_update(state_->xxh3, bytes, count);
}

ContentChecksum::Bytes ContentChecksum::bytes() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh3));
  Bytes result;
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = canonical.digest[i];
  return result;
}

std::string ContentChecksum::hex() const {
  std::string text;
  for (const unsigned char byte : bytes()) text += fmt::format("{:02x}", byte);
  return text;
}

std::string file_checksum(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return "";
  ContentChecksum checksum;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  ::ssize_t got = 0;
  while ((got = ::read(file, buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR))
    if (got > 0) checksum.update(buffer.data(), static_cast<std::size_t>(got));
  ::close(file);
  return got == 0 ? checksum.hex() : "";
}

}  // namespace gramflow
