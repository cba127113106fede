// Bytes as a picture file, straight into the decoders, in this process, where sanitizers see them. Only Damaged, NotRead
// and std::bad_alloc may come out. What OpenImageIO reads needs a file and is left out.
#include <cstdint>
#include <new>

#include "nodes/image/decode/colour.h"
#include "nodes/image/decode/oiio_module.h"
#include "nodes/image/decode/open_file.h"
#include "nodes/image/readable_formats.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gramflow;
  const std::string_view head(reinterpret_cast<const char*>(data), std::min(size, telling_bytes));
  const ReadableFormat* format = format_beginning_with(head);
  if (format == nullptr) return 0;
  for (const char* other : {"jpeg2000", "psd", "dpx", "hdr", "raw", "targa"})
    if (format->key == other) return 0;
  constexpr std::int64_t most_pixels = 1 << 20;
  try {
    const auto decoder = decode::open_file(format->key, {data, size}, "");
    decode::Header header = decoder->header();
    if (header.width < 1 || header.height < 1 || header.width > most_pixels / header.height) return 0;
    if (header.working_bytes > (std::size_t{512} << 20)) return 0;
    const decode::ColourConversion colours(header);
    const auto width = static_cast<std::size_t>(header.width);
    std::vector<float> row(width * static_cast<std::size_t>(header.samples()));
    std::vector<float> rgb(width * 3);
    for (std::int64_t y = 0; y < header.height; ++y) {
      decoder->read_row(row.data());
      colours.run(row.data(), width, rgb.data());
    }
    decoder->finish();
  } catch (const decode::Damaged&) {
  } catch (const decode::NotRead&) {
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
