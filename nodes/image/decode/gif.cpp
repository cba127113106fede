// GIF through giflib: the first frame, on its canvas. A transparent pixel keeps the colour that its index has
// in the palette, as in a PNG; what the frame does not cover has the background's. LZW gives rows; the
// frame's indices are kept, since interlaced files store them out of order.
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {
namespace {

class GifDecoder final : public Decoder {
 public:
  explicit GifDecoder(Bytes bytes) : bytes_(bytes) {
    int error = 0;
    gif_ = DGifOpen(this, read_bytes, &error);
    if (gif_ == nullptr) throw Damaged(reason(error));
    try {
      open();
    } catch (...) {
      close();
      throw;
    }
  }
  ~GifDecoder() override { close(); }

  void read_row(float* out) override {
    if (indices_.empty()) read_frame();
    const GifImageDesc& frame = gif_->Image;
    const std::int64_t line = next_row_++ - frame.Top;
    const bool crosses = line >= 0 && line < frame.Height;
    for (std::int64_t x = 0; x < header_.width; ++x) {
      const std::int64_t column = x - frame.Left;
      const bool covered = crosses && column >= 0 && column < frame.Width;
      const unsigned index = covered ? indices_[static_cast<std::size_t>(line * frame.Width + column)] : 0;
      const std::array<float, 3>& colour = covered ? palette_[index] : background_;
      out = std::copy(colour.begin(), colour.end(), out);
      if (header_.alpha) *out++ = !covered || static_cast<int>(index) == transparent_ ? 0 : 1;
    }
  }

 private:
  static int read_bytes(GifFileType* gif, GifByteType* to, int count) {
    auto* self = static_cast<GifDecoder*>(gif->UserData);
    const auto taken =
        std::min(self->bytes_.size() - self->at_, static_cast<std::size_t>(std::max(count, 0)));
    if (taken > 0) std::memcpy(to, self->bytes_.data() + self->at_, taken);
    self->at_ += taken;
    return static_cast<int>(taken);
  }
  static std::string reason(int error) {
    const char* text = GifErrorString(error);
    return text == nullptr ? "it ends early" : text;
  }
  [[noreturn]] void damaged() const { throw Damaged(reason(gif_->Error)); }
  void close() {
    int ignored = 0;
    DGifCloseFile(gif_, &ignored);
  }

  void open() {
    find_first_frame();
    const GifImageDesc& frame = gif_->Image;
    if (frame.Width < 1 || frame.Height < 1) throw Damaged("its first frame has no pixels");
    // A frame that sticks out widens the canvas, as in browsers.
    header_.width = std::max(gif_->SWidth, frame.Left + frame.Width);
    header_.height = std::max(gif_->SHeight, frame.Top + frame.Height);
    const bool covers =
        frame.Left <= 0 && frame.Top <= 0 && frame.Width >= header_.width && frame.Height >= header_.height;
    header_.alpha = transparent_ >= 0 || !covers;
    header_.channels = header_.alpha ? 4 : 3;
    const ColorMapObject* map = frame.ColorMap != nullptr ? frame.ColorMap : gif_->SColorMap;
    if (map == nullptr) throw NotRead("a GIF without a palette", "convert it with another program to PNG");
    for (int i = 0; i < map->ColorCount; ++i) palette_.push_back(colour_of(map->Colors[i]));
    const ColorMapObject* general = gif_->SColorMap;
    if (general != nullptr && gif_->SBackGroundColor < general->ColorCount)
      background_ = colour_of(general->Colors[gif_->SBackGroundColor]);
    header_.working_bytes = static_cast<std::size_t>(frame.Width) * static_cast<std::size_t>(frame.Height);
  }
  static std::array<float, 3> colour_of(const GifColorType& colour) {
    return {unit8(colour.Red), unit8(colour.Green), unit8(colour.Blue)};
  }

  void find_first_frame() {
    while (true) {
      GifRecordType type = UNDEFINED_RECORD_TYPE;
      if (DGifGetRecordType(gif_, &type) != GIF_OK) damaged();
      if (type == IMAGE_DESC_RECORD_TYPE) break;
      if (type == TERMINATE_RECORD_TYPE) throw Damaged("it holds no picture");
      if (type == EXTENSION_RECORD_TYPE) read_extension();
    }
    if (DGifGetImageDesc(gif_) != GIF_OK) damaged();
  }
  void read_extension() {
    int kind = 0;
    GifByteType* block = nullptr;  // its length, then its bytes
    if (DGifGetExtension(gif_, &kind, &block) != GIF_OK) damaged();
    while (block != nullptr) {
      if (kind == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4) transparent_ = (block[1] & 1) != 0 ? block[4] : -1;
      if (kind == COMMENT_EXT_FUNC_CODE && header_.description.empty())
        header_.description.assign(reinterpret_cast<const char*>(block + 1), block[0]);
      if (DGifGetExtensionNext(gif_, &block) != GIF_OK) damaged();
    }
  }

  void read_frame() {
    const GifImageDesc& frame = gif_->Image;
    indices_.resize(static_cast<std::size_t>(frame.Width) * static_cast<std::size_t>(frame.Height));
    const auto read_line = [&](int y) {
      GifPixelType* line =
          indices_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(frame.Width);
      if (DGifGetLine(gif_, line, frame.Width) != GIF_OK) damaged();
      for (int x = 0; x < frame.Width; ++x)
        if (line[x] >= palette_.size()) throw Damaged("it names a colour that its palette has not");
    };
    if (!frame.Interlace) {
      for (int y = 0; y < frame.Height; ++y) read_line(y);
      return;
    }
    for (const auto& [first, step] : {std::pair{0, 8}, {4, 8}, {2, 4}, {1, 2}})
      for (int y = first; y < frame.Height; y += step) read_line(y);
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  GifFileType* gif_ = nullptr;
  int transparent_ = -1;
  std::vector<std::array<float, 3>> palette_;
  std::array<float, 3> background_{1, 1, 1};
  std::vector<GifPixelType> indices_;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_gif(Bytes bytes) { return std::make_unique<GifDecoder>(bytes); }

}  // namespace gramflow::decode
