#include "tests/image/make_tiff.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "nodes/image/transfer.h"

namespace gramflow::test {
namespace {

int colour_samples(const TiffFile& file) {
  return file.colours == "rgb" ? 3 : file.colours == "cmyk" ? 4 : 1;
}

/// The motif: smooth for JPEG, otherwise every pixel another. 0 to 2^bits - 1; floats count in 256ths.
std::uint32_t sample(const TiffFile& file, int x, int y, int c) {
  const int bits = file.floats ? 8 : file.bits;
  const auto most = static_cast<std::uint32_t>((std::uint64_t{1} << bits) - 1);
  if (c == colour_samples(file))
    return std::max<std::uint32_t>(1, most - most / 3 * static_cast<std::uint32_t>(x % 2));
  if (file.compression == "jpeg")
    return static_cast<std::uint32_t>(40 + 25 * c + (x * 60 / file.width) + (y * 60 / file.height));
  std::uint32_t mix = static_cast<std::uint32_t>(x * 7919 + y * 104729 + c * 1299709 + 17);
  mix ^= mix >> 13;
  mix *= 0x5bd1e995U;
  mix ^= mix >> 15;
  return mix & most;
}

std::uint16_t palette_value(std::uint32_t index, int c, int bits) {
  return static_cast<std::uint16_t>(
      (index * 40503U + static_cast<std::uint32_t>(c) * 9973U + static_cast<std::uint32_t>(bits)) & 0xFFFFU);
}

std::uint16_t half_of(std::uint32_t in_256ths) {  // exact: 8 bits of fraction at most
  if (in_256ths == 0) return 0;
  const int top = 31 - std::countl_zero(in_256ths);
  return static_cast<std::uint16_t>((top - 8 + 15) << 10 | ((in_256ths << (10 - top)) & 0x3FFU));
}

void pack(std::vector<unsigned char>& row, std::size_t index, std::uint32_t value, const TiffFile& file) {
  const auto put = [&](const auto& number) {
    std::memcpy(row.data() + index * sizeof number, &number, sizeof number);
  };
  if (file.floats && file.bits == 16) return put(half_of(value));
  if (file.floats) return put(static_cast<float>(value) / 256);
  if (file.bits == 32) return put(value);
  if (file.bits == 16) return put(static_cast<std::uint16_t>(value));
  if (file.bits == 8) return put(static_cast<std::uint8_t>(value));
  for (int bit = 0; bit < file.bits; ++bit) {
    const std::size_t at = index * static_cast<std::size_t>(file.bits) + static_cast<std::size_t>(bit);
    const auto on = static_cast<unsigned char>((value >> (file.bits - 1 - bit) & 1U) << (7 - at % 8));
    row[at / 8] = static_cast<unsigned char>(row[at / 8] | on);
  }
}

float value_of(std::uint32_t sample, const TiffFile& file) {
  if (file.floats) return static_cast<float>(sample) / 256;
  return static_cast<float>(sample / (static_cast<double>(std::uint64_t{1} << file.bits) - 1));
}

Picture expected(const TiffFile& file) {
  Picture picture(PictureSize{file.width, file.height});
  for (int y = 0; y < file.height; ++y)
    for (int x = 0; x < file.width; ++x)
      for (int c = 0; c < 3; ++c) {
        const int colour = file.colours == "rgb" || file.colours == "cmyk" ? c : 0;
        float value = value_of(sample(file, x, y, colour), file);
        const float black = file.colours == "cmyk" ? value_of(sample(file, x, y, 3), file) : 0;
        const float alpha = file.alpha == 0 ? 1 : value_of(sample(file, x, y, colour_samples(file)), file);
        if (file.colours == "palette") {
          value = static_cast<float>(palette_value(sample(file, x, y, 0), c, file.bits)) / 65535;
        } else {
          if (file.colours == "inverted") value = 1 - value;
          const float divisor = file.alpha == 1 ? alpha : 1;
          value /= divisor;
          if (file.colours == "cmyk") value = (1 - value) * (1 - black / divisor);
        }
        picture.pixel(x, y)[static_cast<std::size_t>(c)] =
            file.floats ? srgb_from_linear(value) : std::clamp(value, 0.0F, 1.0F);
      }
  return picture;
}

}  // namespace

std::string TiffFile::name() const {
  return fmt::format("{} alpha {} {}{}{} bits {} {}x{} {} {}", colours, alpha, is_signed ? "signed " : "",
                     floats ? "float " : "", bits, planes ? "planes" : "together", width, height,
                     tile_width > 0 ? fmt::format("tiles {}x{}", tile_width, tile_height)
                                    : fmt::format("strips of {}", rows_per_strip),
                     compression);
}

Picture write_tiff(const std::string& path, const TiffFile& file) {
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  REQUIRE(tiff != nullptr);
  const int colours = colour_samples(file);
  const int samples = colours + (file.alpha != 0 ? 1 : 0);
  const std::map<std::string, int> photometric = {{"grey", PHOTOMETRIC_MINISBLACK},
                                                  {"inverted", PHOTOMETRIC_MINISWHITE},
                                                  {"rgb", PHOTOMETRIC_RGB},
                                                  {"cmyk", PHOTOMETRIC_SEPARATED},
                                                  {"palette", PHOTOMETRIC_PALETTE}};
  const std::map<std::string, int> compression = {{"none", COMPRESSION_NONE},
                                                  {"lzw", COMPRESSION_LZW},
                                                  {"zip", COMPRESSION_ADOBE_DEFLATE},
                                                  {"packbits", COMPRESSION_PACKBITS},
                                                  {"jpeg", COMPRESSION_JPEG}};
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, file.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, file.height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, file.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, samples);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT,
               file.floats      ? SAMPLEFORMAT_IEEEFP
               : file.is_signed ? SAMPLEFORMAT_INT
                                : SAMPLEFORMAT_UINT);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, file.planes ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression.at(file.compression));
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, photometric.at(file.colours));
  if (file.compression == "jpeg") TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, 100);
  if (file.alpha != 0) {
    std::uint16_t kind = file.alpha == 1 ? EXTRASAMPLE_ASSOCALPHA : EXTRASAMPLE_UNASSALPHA;
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
  }
  std::vector<std::uint16_t> columns[3];
  if (file.colours == "palette") {
    for (int c = 0; c < 3; ++c)
      for (std::uint32_t i = 0; i < 1U << file.bits; ++i)
        columns[c].push_back(palette_value(i, c, file.bits));
    TIFFSetField(tiff, TIFFTAG_COLORMAP, columns[0].data(), columns[1].data(), columns[2].data());
  }
  if (!file.profile.empty())
    TIFFSetField(tiff, TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(file.profile.size()),
                 file.profile.data());
  const bool tiled = file.tile_width > 0;
  if (tiled) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, file.tile_width);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, file.tile_height);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, file.rows_per_strip);
  }
  const int block_width = tiled ? file.tile_width : file.width;
  const int block_height = tiled ? file.tile_height : file.rows_per_strip;
  const int stored = file.planes ? 1 : samples;
  const std::size_t row_bytes =
      (static_cast<std::size_t>(block_width) * static_cast<std::size_t>(stored * file.bits) + 7) / 8;
  for (int plane = 0; plane < (file.planes ? samples : 1); ++plane)
    for (int top = 0; top < file.height; top += block_height)
      for (int left = 0; left < file.width; left += block_width) {
        std::vector<unsigned char> block;
        const int rows = tiled ? block_height : std::min(block_height, file.height - top);
        for (int y = 0; y < rows; ++y) {
          std::vector<unsigned char> row(row_bytes);
          for (int x = 0; x < block_width; ++x)
            for (int c = 0; c < stored; ++c)
              if (top + y < file.height && left + x < file.width)
                pack(row, static_cast<std::size_t>(x * stored + c),
                     sample(file, left + x, top + y, file.planes ? plane : c), file);
          block.insert(block.end(), row.begin(), row.end());
        }
        const auto x = static_cast<std::uint32_t>(left);
        const auto y = static_cast<std::uint32_t>(top);
        const auto s = static_cast<std::uint16_t>(plane);
        const auto bytes = static_cast<tmsize_t>(block.size());
        if (tiled)
          REQUIRE(TIFFWriteEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, s), block.data(), bytes) ==
                  bytes);
        else
          REQUIRE(TIFFWriteEncodedStrip(tiff, TIFFComputeStrip(tiff, y, s), block.data(), bytes) == bytes);
      }
  TIFFClose(tiff);
  return expected(file);
}

}  // namespace gramflow::test
