// One request: open the file, say what it holds or why it is refused, and, if asked, its pixels as sRGB,
// portion by portion through the shared memory.
#include "nodes/image/decode/serve.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "nodes/image/decode/colour.h"
#include "nodes/image/decode/open_file.h"
#include "nodes/image/decode/stored_size.h"
#include "nodes/image/decoder_protocol.h"

namespace gramflow::decode {
namespace {

using decoder_protocol::Kind;

/// A file's bytes, mapped.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct ::stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || status.st_size <= 0) {
      if (descriptor >= 0) ::close(descriptor);
      throw Damaged("it cannot be opened any more");
    }
    size_ = static_cast<std::size_t>(status.st_size);
    mapped_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    if (mapped_ == MAP_FAILED) throw Damaged("it cannot be mapped into memory");
  }
  ~MappedFile() {
    if (mapped_ != MAP_FAILED) ::munmap(mapped_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  Bytes bytes() const { return {static_cast<const unsigned char*>(mapped_), size_}; }

 private:
  void* mapped_ = MAP_FAILED;
  std::size_t size_ = 0;
};

std::string packed(const Header& header, Kind kind) {
  Packer packer;
  packer.number(static_cast<std::uint64_t>(kind));
  for (const std::int64_t value :
       {header.width, header.height, std::int64_t{header.channels}, std::int64_t{header.bits},
        std::int64_t{header.alpha}, std::int64_t{header.floating}, std::int64_t{header.orientation}})
    packer.number(static_cast<std::uint64_t>(value));
  const std::size_t row =
      static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.samples()) * sizeof(float);
  packer.number(header.working_bytes + row);
  packer.text(header.software).text(header.description).number(header.notes.size());
  for (const std::string& note : header.notes) packer.text(note);
  return packer.packed();
}

void send_header(const Header& header, const Channel& channel) {
  Packer longer;  // what may be too long for a message
  longer.bytes(header.profile).bytes(header.exif).bytes(header.xmp);
  const bool fits = longer.packed().size() <= channel.shared.size();
  const std::string& blocks = fits ? longer.packed() : Packer().text("").text("").text("").packed();
  std::memcpy(channel.shared.data(), blocks.data(), blocks.size());
  Packer message;
  message.number(blocks.size());
  channel.send(packed(header, Kind::header) + message.packed());
}

void send_pixels(Decoder& decoder, const ColourConversion& colours, const Channel& channel) {
  const Header& header = decoder.header();
  const auto width = static_cast<std::size_t>(header.width);
  const auto samples = static_cast<std::size_t>(header.samples());
  const std::size_t room = channel.shared.size() / (3 * sizeof(float));
  auto* const rgb = reinterpret_cast<float*>(channel.shared.data());
  std::vector<float> row(width * samples);
  std::uint64_t first = 0;
  std::size_t filled = 0;
  const auto flush = [&] {
    channel.send(
        Packer().number(static_cast<std::uint64_t>(Kind::rows)).number(first).number(filled).packed());
    if (channel.receive() != decoder_protocol::go_on)
      throw std::runtime_error("gramflow does not want the rest");
    first += filled;
    filled = 0;
  };
  for (std::int64_t y = 0; y < header.height; ++y) {
    decoder.read_row(row.data());
    for (std::size_t x = 0; x < width;) {
      const std::size_t count = std::min(width - x, room - filled);
      colours.run(row.data() + x * samples, count, rgb + filled * 3);
      x += count;
      filled += count;
      if (filled == room) flush();
    }
  }
  if (filled > 0) flush();
  decoder.finish();
  channel.send(Packer().number(static_cast<std::uint64_t>(Kind::done)).packed());
}

void answer(std::string_view request, const Channel& channel) {
  Unpacker unpacker(request);
  const auto kind = static_cast<Kind>(unpacker.number());
  const std::uint64_t memory = unpacker.number();
  const std::uint64_t seconds = unpacker.number();
  const std::string format = unpacker.text();
  const std::string path = unpacker.text();
  limit_memory(memory);
  ::alarm(static_cast<unsigned>(seconds));
  const MappedFile file(path);
  if (const std::size_t more = opening_bytes(format, file.bytes()); more > 0) limit_memory(memory + more);
  const std::unique_ptr<Decoder> decoder = open_file(format, file.bytes(), path);
  Header header = decoder->header();
  if (header.width < 1 || header.height < 1) {  // gramflow says so
    send_header(header, channel);
    return;
  }
  const ColourConversion colours(header);
  send_header(header, channel);
  if (kind == Kind::pixels && channel.receive() == decoder_protocol::go_on)
    send_pixels(*decoder, colours, channel);
}

}  // namespace

void serve(std::string_view request, const Channel& channel) {
  const auto refuse = [&](Kind kind, const std::string& what, const std::string& advice) {
    channel.send(
        Packer().number(static_cast<std::uint64_t>(kind)).text(what.substr(0, 4000)).text(advice).packed());
  };
  try {
    answer(request, channel);
  } catch (const Damaged& e) {
    refuse(Kind::damaged, e.what(), "");
  } catch (const NotRead& e) {
    refuse(Kind::not_read, e.what(), e.advice);
  } catch (const std::bad_alloc&) {
    refuse(Kind::out_of_memory, "", "");
  } catch (const std::length_error&) {
    refuse(Kind::out_of_memory, "", "");
  }
  ::alarm(0);
}

}  // namespace gramflow::decode
