// BMP of 24 bits with a header of version 4, which says that the colours are sRGB. Rows from the top down are
// asked for, and written from the bottom up.
#include "nodes/image/encode/encoder.h"

namespace gramflow::encode {

void write_bmp(const Encoding& encoding, const SampleRow& row, const WriteAt& write) {
  constexpr std::uint32_t info_bytes = 108;
  constexpr std::uint32_t head_bytes = 14 + info_bytes;
  constexpr std::uint32_t srgb = 0x73524742;  // 'sRGB'
  const auto width = static_cast<std::size_t>(encoding.size.width);
  const std::size_t stride = (width * 3 + 3) / 4 * 4;
  const std::uint64_t pixels = std::uint64_t{stride} * static_cast<std::uint64_t>(encoding.size.height);
  std::vector<unsigned char> head;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) head.push_back(static_cast<unsigned char>(value >> (8 * i)));
  };
  put(0x4D42, 2);  // "BM"
  put(head_bytes + pixels, 4);
  put(0, 4);
  put(head_bytes, 4);
  put(info_bytes, 4);
  put(static_cast<std::uint32_t>(encoding.size.width), 4);
  put(static_cast<std::uint32_t>(encoding.size.height), 4);
  put(1, 2);
  put(24, 2);
  put(0, 4);  // no compression
  put(pixels, 4);
  put(2835, 4);  // 72 dots an inch
  put(2835, 4);
  put(0, 8);   // no palette
  put(0, 16);  // no masks
  put(srgb, 4);
  put(0, 36 + 12);  // end points and gammas, which sRGB implies
  write(0, head.data(), head.size());
  std::vector<unsigned char> samples(width * 3);
  std::vector<unsigned char> line(stride);
  for (int y = 0; y < encoding.size.height; ++y) {
    row(y, samples.data());
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c) line[3 * x + c] = samples[3 * x + 2 - c];
    write(head_bytes + static_cast<std::uint64_t>(encoding.size.height - 1 - y) * stride, line.data(),
          stride);
  }
}

}  // namespace gramflow::encode
