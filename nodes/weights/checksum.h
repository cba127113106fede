#pragma once
// The two checksums that publishers of weights give. MD5 tells accidents, not attacks; nobody offers better
// for those files.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace gramflow {

/// A checksum of bytes that come piece by piece. One thread.
class Digest {
 public:
  enum class Kind { sha256, md5 };
  explicit Digest(Kind kind);
  ~Digest();
  Digest(Digest&&) noexcept;

  void update(const void* bytes, std::size_t count);
  /// Ends it; in lower case.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Checksums {
  std::string sha256;
  std::string md5;
};
/// Of a whole file, read once. Throws RunError, the path in front. `progress`, if any, is told how many bytes
/// of how many are done.
Checksums file_checksums(const std::string& path,
                         const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

}  // namespace gramflow
