#include "tests/image/make_files.h"

#include <OpenImageIO/deepdata.h>
#include <OpenImageIO/imageio.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

namespace gramflow::test {
namespace fs = std::filesystem;

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

void write_raw(const std::string& path, const RawFile& file) {
  auto output = OIIO::ImageOutput::create(path);
  REQUIRE_MESSAGE(output, OIIO::geterror());
  OIIO::ImageSpec spec(file.width, file.height, file.channels, OIIO::TypeDesc(file.sample));
  if (file.orientation != 1) spec.attribute("Orientation", file.orientation);
  if (file.unassociated_alpha) spec.attribute("oiio:UnassociatedAlpha", 1);
  if (!file.channel_names.empty()) spec.channelnames = file.channel_names;
  spec.tile_width = spec.tile_height = file.tile;
  spec.attribute("CompressionQuality", 100);
  for (const auto& [name, value] : file.attributes) spec.attribute(name, value);
  REQUIRE_MESSAGE(output->open(path, spec), output->geterror());
  REQUIRE_MESSAGE(output->write_image(OIIO::TypeFloat, file.samples.data()), output->geterror());
  REQUIRE_MESSAGE(output->close(), output->geterror());
}

void write_deep_exr(const std::string& path) {
  auto output = OIIO::ImageOutput::create("openexr");
  REQUIRE(output);
  OIIO::ImageSpec spec(2, 2, 3, OIIO::TypeDesc::HALF);
  spec.deep = true;
  REQUIRE_MESSAGE(output->open(path, spec), output->geterror());
  OIIO::DeepData data(spec);
  for (int pixel = 0; pixel < 4; ++pixel) data.set_samples(pixel, 2);
  REQUIRE_MESSAGE(output->write_deep_image(data), output->geterror());
  REQUIRE_MESSAGE(output->close(), output->geterror());
}

std::string big_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

namespace {

std::uint32_t crc_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

}  // namespace

std::string with_png_chunk(const std::string& png, const std::string& name, const std::string& data) {
  constexpr std::size_t behind_header = 33;
  return png.substr(0, behind_header) + big_endian(static_cast<std::uint32_t>(data.size())) + name + data +
         big_endian(crc_of(name + data)) + png.substr(behind_header);
}

std::string with_jpeg_segment(const std::string& jpeg, int marker, const std::string& data) {
  return jpeg.substr(0, 2) + "\xFF" + static_cast<char>(marker) +
         big_endian(static_cast<std::uint32_t>(data.size() + 2), 2) + data + jpeg.substr(2);
}

Picture sample_picture(int width, int height) {
  Picture picture(PictureSize{width, height});
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const auto pixel = picture.pixel(x, y);
      pixel[0] = static_cast<float>((3 * x + y) % 256) / 255;
      pixel[1] = static_cast<float>((40 + 2 * y) % 256) / 255;
      pixel[2] = static_cast<float>((250 - x) & 255) / 255;
    }
  return picture;
}

double difference(const Picture& a, const Picture& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i)
    worst = std::max(worst, std::abs(double{a.rgb[i]} - double{b.rgb[i]}));
  return worst * 255;
}

}  // namespace gramflow::test
