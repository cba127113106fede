#include "framework/checkpoint/checkpoint_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "framework/base/replaced_file.h"
#include "framework/checkpoint/content_checksum.h"

namespace gramflow {
namespace {

constexpr std::string_view mark = "gramflow checkpoint ";
constexpr std::string_view first_line = "gramflow checkpoint 1\n";
constexpr std::size_t sum_bytes = sizeof(ContentChecksum::Bytes);

ContentChecksum::Bytes checksum_of(const void* bytes, std::size_t count) {
  ContentChecksum checksum;
  checksum.update(bytes, count);
  return checksum.bytes();
}

void write_summed(ReplacedFile& file, const void* bytes, std::size_t count) {
  file.write(bytes, count);
  const ContentChecksum::Bytes sum = checksum_of(bytes, count);
  file.write(sum.data(), sum.size());
}

}  // namespace

void write_checkpoint(const std::string& path, const CheckpointHead& head,
                      std::span<const std::span<const float>> vectors) {
  if (vectors.size() != head.vectors.size())
    throw std::logic_error("the head names another number of vectors");
  const std::string encoded = encode_head(head);
  const auto length = static_cast<std::uint64_t>(encoded.size());
  ReplacedFile file(path);
  file.write(first_line.data(), first_line.size());
  file.write(&length, sizeof length);
  write_summed(file, encoded.data(), encoded.size());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (vectors[i].size() != head.vectors[i].floats) throw std::logic_error("a vector has another length");
    write_summed(file, vectors[i].data(), vectors[i].size_bytes());
  }
  file.commit();
}

CheckpointFile::CheckpointFile(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) throw DamagedCheckpoint(std::string("it cannot be opened: ") + std::strerror(errno));
  try {
    verify();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

CheckpointFile::~CheckpointFile() { ::close(descriptor_); }

void CheckpointFile::take(std::uint64_t offset, void* to, std::size_t count) const {
  auto* at = static_cast<char*>(to);
  while (count > 0) {
    const ::ssize_t got = ::pread(descriptor_, at, count, static_cast<::off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw DamagedCheckpoint(std::string("it cannot be read: ") + std::strerror(errno));
    if (got == 0) throw DamagedCheckpoint("it ends in the middle");
    at += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

void CheckpointFile::verify() {
  struct ::stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode))
    throw DamagedCheckpoint("it is not a file");
  size_ = static_cast<std::uint64_t>(status.st_size);
  std::string line(first_line.size(), '\0');
  take(0, line.data(), std::min<std::uint64_t>(line.size(), size_));
  if (!line.starts_with(mark)) throw DamagedCheckpoint("it is no checkpoint");
  if (line != first_line) throw DamagedCheckpoint("it is of another version of gramflow");
  std::uint64_t at = line.size(), length = 0;
  const auto left = [&] { return size_ - at; };
  const auto require = [&](std::uint64_t bytes) {
    if (left() < sum_bytes || left() - sum_bytes < bytes) throw DamagedCheckpoint("it ends in the middle");
  };
  const auto expect_sum = [&](const ContentChecksum::Bytes& found) {
    ContentChecksum::Bytes written;
    take(at, written.data(), written.size());
    at += written.size();
    if (found != written) throw DamagedCheckpoint("its contents do not fit their checksum");
  };
  require(sizeof length);
  take(at, &length, sizeof length);
  at += sizeof length;
  require(length);
  std::string encoded(length, '\0');
  take(at, encoded.data(), encoded.size());
  at += length;
  expect_sum(checksum_of(encoded.data(), encoded.size()));
  head_ = decode_head(encoded);
  std::vector<char> buffer(std::size_t{1} << 20);
  for (const CheckpointVector& vector : head_.vectors) {
    if (vector.floats > size_) throw DamagedCheckpoint("it ends in the middle");
    const std::uint64_t bytes = vector.floats * sizeof(float);
    require(bytes);
    offsets_.push_back(at);
    ContentChecksum checksum;
    for (const std::uint64_t end = at + bytes; at < end;) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - at));
      take(at, buffer.data(), count);
      checksum.update(buffer.data(), count);
      at += count;
    }
    expect_sum(checksum.bytes());
  }
  if (at != size_) throw DamagedCheckpoint("there is more in it than it says");
}

int CheckpointFile::find(const std::string& name) const {
  const auto found = std::find_if(head_.vectors.begin(), head_.vectors.end(),
                                  [&](const CheckpointVector& vector) { return vector.name == name; });
  return found == head_.vectors.end() ? -1 : static_cast<int>(found - head_.vectors.begin());
}

void CheckpointFile::read(int vector, std::span<float> to) const {
  const auto index = static_cast<std::size_t>(vector);
  if (to.size() != head_.vectors.at(index).floats)
    throw DamagedCheckpoint("'" + head_.vectors[index].name + "' is not of the length that this run needs");
  take(offsets_[index], to.data(), to.size_bytes());
}

std::vector<float> CheckpointFile::read(int vector) const {
  std::vector<float> values(head_.vectors.at(static_cast<std::size_t>(vector)).floats);
  read(vector, values);
  return values;
}

bool looks_like_checkpoint(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  std::string start(mark.size(), '\0');
  const ::ssize_t got = ::read(file, start.data(), start.size());
  ::close(file);
  return got == static_cast<::ssize_t>(start.size()) && start == mark;
}

}  // namespace gramflow
