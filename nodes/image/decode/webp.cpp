// WebP through libwebp: the first frame of an animation, or the picture. The decoder makes the whole picture
// at once, as 8-bit RGBA whose colour was not multiplied by alpha. EXIF, XMP and profile stand in chunks of
// their own.
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>

#include "nodes/image/decode/exif.h"

namespace gramflow::decode {
namespace {

struct DemuxerDeleter {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

class WebpDecoder final : public Decoder {
 public:
  explicit WebpDecoder(Bytes bytes) {
    const WebPData data{bytes.data(), bytes.size()};
    demuxer_.reset(WebPDemux(&data));
    if (!demuxer_) throw Damaged("it ends early or its chunks do not fit");
    header_.width = WebPDemuxGetI(demuxer_.get(), WEBP_FF_CANVAS_WIDTH);
    header_.height = WebPDemuxGetI(demuxer_.get(), WEBP_FF_CANVAS_HEIGHT);
    if (WebPDemuxGetFrame(demuxer_.get(), 1, &frame_) == 0) throw Damaged("it holds no picture");
    const bool covers = frame_.x_offset == 0 && frame_.y_offset == 0 && frame_.width == header_.width &&
                        frame_.height == header_.height;
    header_.alpha = frame_.has_alpha != 0 || !covers;
    header_.channels = header_.alpha ? 4 : 3;
    header_.working_bytes =
        static_cast<std::size_t>(frame_.width) * static_cast<std::size_t>(frame_.height) * 9;
    const Bytes profile = chunk("ICCP");
    header_.profile.assign(profile.begin(), profile.end());
    const Bytes xmp = chunk("XMP ");
    header_.xmp.assign(xmp.begin(), xmp.end());
    if (const Bytes exif = chunk("EXIF"); !exif.empty()) take_exif(header_, exif);
  }
  ~WebpDecoder() override { WebPDemuxReleaseIterator(&frame_); }

  void read_row(float* out) override {
    if (pixels_.empty()) decode();
    const std::int64_t line = next_row_++ - frame_.y_offset;
    const bool crosses = line >= 0 && line < frame_.height;
    for (std::int64_t x = 0; x < header_.width; ++x) {
      const std::int64_t column = x - frame_.x_offset;
      const bool covered = crosses && column >= 0 && column < frame_.width;
      const std::uint8_t* pixel =
          covered ? &pixels_[static_cast<std::size_t>(line * frame_.width + column) * 4] : nullptr;
      for (std::size_t c = 0; c < 3; ++c) *out++ = covered ? unit8(pixel[c]) : 1;
      if (header_.alpha) *out++ = covered ? unit8(pixel[3]) : 0;
    }
  }

 private:
  Bytes chunk(const char* name) const {
    WebPChunkIterator found{};
    if (WebPDemuxGetChunk(demuxer_.get(), name, 1, &found) == 0) return {};
    const Bytes bytes(found.chunk.bytes, found.chunk.size);  // they lie in the file
    WebPDemuxReleaseChunkIterator(&found);
    return bytes;
  }
  void decode() {
    pixels_.resize(static_cast<std::size_t>(frame_.width) * static_cast<std::size_t>(frame_.height) * 4);
    if (frame_.complete == 0 ||
        WebPDecodeRGBAInto(frame_.fragment.bytes, frame_.fragment.size, pixels_.data(), pixels_.size(),
                           frame_.width * 4) == nullptr)
      throw Damaged("it ends early or its data are wrong");
  }

  std::unique_ptr<WebPDemuxer, DemuxerDeleter> demuxer_;
  WebPIterator frame_{};
  std::vector<std::uint8_t> pixels_;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_webp(Bytes bytes) { return std::make_unique<WebpDecoder>(bytes); }

}  // namespace gramflow::decode
