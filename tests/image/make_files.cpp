#include "tests/image/make_files.h"

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

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "gramflow-test-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = fs::canonical(pattern);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(path_)) found.push_back(entry.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

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
  REQUIRE_MESSAGE(output->open(path, spec), output->geterror());
  REQUIRE_MESSAGE(output->write_image(OIIO::TypeFloat, file.samples.data()), output->geterror());
  REQUIRE_MESSAGE(output->close(), output->geterror());
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
