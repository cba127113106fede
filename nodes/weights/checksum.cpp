#include "nodes/weights/checksum.h"

#include <openssl/evp.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <vector>

#include "framework/base/error.h"

namespace gramflow {

struct Digest::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Digest::Digest(Kind kind) : state_(std::make_unique<State>()) {
  const EVP_MD* method = kind == Kind::sha256 ? EVP_sha256() : EVP_md5();
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, method, nullptr) != 1)
    throw RunError("libcrypto of this system does not make the checksums that weights are known by");
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;

void Digest::update(const void* bytes, std::size_t count) { EVP_DigestUpdate(state_->context, bytes, count); }

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int count = 0;
  EVP_DigestFinal_ex(state_->context, bytes.data(), &count);
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15U];
  }
  return text;
}

Checksums file_checksums(const std::string& path,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw RunError(path + ": cannot be opened");
  std::error_code unknown;
  const std::uint64_t total = progress ? std::filesystem::file_size(path, unknown) : 0;
  std::uint64_t done = 0;
  Digest sha256(Digest::Kind::sha256);
  Digest md5(Digest::Kind::md5);
  std::vector<char> bytes(1U << 18);
  while (file) {
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    sha256.update(bytes.data(), static_cast<std::size_t>(file.gcount()));
    md5.update(bytes.data(), static_cast<std::size_t>(file.gcount()));
    done += static_cast<std::uint64_t>(file.gcount());
    if (progress && !unknown) progress(done, total);
  }
  if (file.bad()) throw RunError(path + ": cannot be read");
  return {sha256.hex(), md5.hex()};
}

}  // namespace gramflow
