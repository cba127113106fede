// Bytes as a checkpoint: as a whole file, and, since no fuzzer guesses a checksum, as the head and the vectors of a file
// whose checksums fit. Only DamagedCheckpoint may come out.
//   cmake --preset fuzz && ninja -C build-fuzz fuzz_checkpoint
//   build-fuzz/fuzz_checkpoint -max_total_time=1200 -max_len=65536 FOLDER_FOR_FINDINGS
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "framework/checkpoint/checkpoint_file.h"
#include "framework/checkpoint/content_checksum.h"

namespace {

void add_summed(std::string& file, std::string_view bytes) {
  gramflow::ContentChecksum checksum;
  checksum.update(bytes.data(), bytes.size());
  const auto sum = checksum.bytes();
  file += bytes;
  file.append(reinterpret_cast<const char*>(sum.data()), sum.size());
}

void try_file(const std::string& bytes) {
  const int memory = ::memfd_create("checkpoint", 0);
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto count = ::write(memory, bytes.data() + written, bytes.size() - written);
    if (count <= 0) __builtin_trap();
    written += static_cast<std::size_t>(count);
  }
  try {
    const gramflow::CheckpointFile file("/proc/self/fd/" + std::to_string(memory));
    for (std::size_t i = 0; i < file.head().vectors.size(); ++i) file.read(static_cast<int>(i));
    if (gramflow::encode_head(gramflow::decode_head(gramflow::encode_head(file.head()))) !=
        gramflow::encode_head(file.head()))
      __builtin_trap();
  } catch (const gramflow::DamagedCheckpoint&) {
  }
  ::close(memory);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size < 2) return 0;
  try_file(std::string(bytes));
  // The first two bytes say where the head ends.
  const std::size_t split = std::min<std::size_t>(std::size_t{data[0]} | std::size_t{data[1]} << 8, size - 2);
  const std::string_view head = bytes.substr(2, split), rest = bytes.substr(2 + split);
  std::string file = "gramflow checkpoint 1\n";
  const std::uint64_t length = head.size();
  file.append(reinterpret_cast<const char*>(&length), sizeof length);
  add_summed(file, head);
  try {
    std::size_t at = 0;
    for (const gramflow::CheckpointVector& vector : gramflow::decode_head(head).vectors) {
      const std::size_t wanted =
          vector.floats > rest.size() ? rest.size() - at : vector.floats * sizeof(float);
      add_summed(file, rest.substr(at, wanted));
      at = std::min(rest.size(), at + wanted);
    }
  } catch (const gramflow::DamagedCheckpoint&) {
    add_summed(file, rest);
  }
  try_file(file);
  return 0;
}
