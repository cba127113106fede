#include <ImfChannelList.h>
#include <ImfFrameBuffer.h>
#include <ImfHeader.h>
#include <ImfIO.h>
#include <ImfOutputFile.h>
#include <ImfStandardAttributes.h>
#include <ImfStringAttribute.h>
#include <ImfThreading.h>
#include <half.h>

#include <algorithm>

#include "nodes/image/encode/encoder.h"

namespace gramflow::encode {
namespace {

class Stream final : public Imf::OStream {
 public:
  explicit Stream(const WriteAt& write) : Imf::OStream("picture"), write_(write) {}
  void write(const char* bytes, int count) override {
    write_(at_, bytes, static_cast<std::size_t>(count));
    at_ += static_cast<std::uint64_t>(count);
  }
  std::uint64_t tellp() override { return at_; }
  void seekp(std::uint64_t at) override { at_ = at; }

 private:
  const WriteAt& write_;
  std::uint64_t at_ = 0;
};

void write_rows(const Encoding& encoding, const SampleRow& row, const WriteAt& write) {
  Imf::Header header(encoding.size.width, encoding.size.height);
  header.compression() = Imf::ZIP_COMPRESSION;
  const Imf::PixelType type = encoding.bits == 32 ? Imf::FLOAT : Imf::HALF;
  for (const char* name : {"R", "G", "B"}) header.channels().insert(name, Imf::Channel(type));
  Imf::addChromaticities(header, Imf::Chromaticities());  // Rec. 709, which are sRGB's
  if (!encoding.software.empty()) header.insert("Software", Imf::StringAttribute(encoding.software));
  if (!encoding.description.empty()) Imf::addComments(header, encoding.description);
  Stream stream(write);
  Imf::OutputFile file(stream, header, 0);
  const auto samples = static_cast<std::size_t>(encoding.size.width) * 3;
  std::vector<float> light(samples);
  std::vector<Imath::half> halves(type == Imf::HALF ? samples : 0);
  char* const memory =
      type == Imf::HALF ? reinterpret_cast<char*>(halves.data()) : reinterpret_cast<char*>(light.data());
  const std::size_t size = type == Imf::HALF ? sizeof(Imath::half) : sizeof(float);
  Imf::FrameBuffer frame;  // a row stride of 0: every row stands in the same place
  const char* const names[] = {"R", "G", "B"};
  for (std::size_t c = 0; c < 3; ++c)
    frame.insert(names[c], Imf::Slice(type, memory + c * size, 3 * size, 0));
  file.setFrameBuffer(frame);
  for (int y = 0; y < encoding.size.height; ++y) {
    row(y, light.data());
    std::transform(light.begin(), light.begin() + static_cast<std::ptrdiff_t>(halves.size()), halves.begin(),
                   [](float v) { return Imath::half(v); });
    file.writePixels(1);
  }
}

}  // namespace

void write_exr(const Encoding& encoding, const SampleRow& row, const WriteAt& write) {
  Imf::setGlobalThreadCount(0);
  write_rows(encoding, row, write);
}

}  // namespace gramflow::encode
