// HEIC and AVIF through libheif. Turning and mirroring stand in the container, where libheif applies them;
// what EXIF says of them is said a second time and not applied. 8 bits come as bytes, 10 and 12 as 16-bit
// numbers of their own range. Of several pictures the primary one is read; depth maps, gain maps and
// thumbnails are left alone.
#include <libheif/heif.h>

#include <algorithm>
#include <cstring>

#include "nodes/image/decode/byte_reader.h"
#include "nodes/image/decode/code_points.h"
#include "nodes/image/decode/exif.h"

namespace gramflow::decode {
namespace {

struct Deleter {
  void operator()(heif_context* p) const { heif_context_free(p); }
  void operator()(heif_image_handle* p) const { heif_image_handle_release(p); }
  void operator()(heif_image* p) const { heif_image_release(p); }
  void operator()(heif_decoding_options* p) const { heif_decoding_options_free(p); }
  void operator()(heif_color_profile_nclx* p) const { heif_nclx_color_profile_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

class HeifDecoder final : public Decoder {
 public:
  HeifDecoder(Bytes bytes, const std::string& title) : title_(title), context_(heif_context_alloc()) {
    if (!context_) throw std::bad_alloc();
    heif_context_set_maximum_image_size_limit(context_.get(), 1 << 20);
    require(heif_context_read_from_memory_without_copy(context_.get(), bytes.data(), bytes.size(), nullptr));
    heif_image_handle* handle = nullptr;
    require(heif_context_get_primary_image_handle(context_.get(), &handle));
    handle_.reset(handle);
    header_.width = heif_image_handle_get_width(handle);
    header_.height = heif_image_handle_get_height(handle);
    header_.bits = heif_image_handle_get_luma_bits_per_pixel(handle);
    if (header_.bits < 1 || header_.bits > 16)
      throw Damaged("it does not say how many bits its samples have");
    header_.alpha = heif_image_handle_has_alpha_channel(handle) != 0;
    header_.premultiplied = header_.alpha && heif_image_handle_is_premultiplied_alpha(handle) != 0;
    header_.channels = header_.alpha ? 4 : 3;
    read_colours();
    read_metadata();
    header_.orientation = 1;  // applied by libheif
    // The picture as RGB, and, while it is made, its planes and what the decoder keeps.
    const auto pixels = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.height);
    header_.working_bytes =
        pixels * (header_.alpha ? 8 : 6) * (header_.bits > 8 ? 2 : 1) + (std::size_t{32} << 20);
  }

  void read_row(float* out) override {
    if (!image_) decode();
    const std::uint8_t* row = plane_ + static_cast<std::ptrdiff_t>(next_row_++) * stride_;
    const auto count = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.samples());
    const float scale = static_cast<float>(1.0 / ((1 << bits_) - 1));
    for (std::size_t i = 0; i < count; ++i)
      out[i] = wide_ ? static_cast<float>(row[2 * i] | row[2 * i + 1] << 8) * scale : unit8(row[i]);
  }

 private:
  void require(const heif_error& error) const {
    if (error.code == heif_error_Ok) return;
    const std::string text = error.message == nullptr ? "no reason given" : error.message;
    if (error.code == heif_error_Unsupported_filetype || error.code == heif_error_Unsupported_feature)
      throw NotRead("a " + title_ + " of a kind that this system's libheif does not decode (" + text + ")",
                    "export it as JPEG or PNG");
    throw Damaged(text);
  }

  void read_colours() {
    const std::size_t length = heif_image_handle_get_raw_color_profile_size(handle_.get());
    if (length > 0) {
      header_.profile.resize(length);
      require(heif_image_handle_get_raw_color_profile(handle_.get(), header_.profile.data()));
      return;
    }
    heif_color_profile_nclx* found = nullptr;
    if (heif_image_handle_get_nclx_color_profile(handle_.get(), &found).code != heif_error_Ok) return;
    const Owned<heif_color_profile_nclx> colours(found);
    take_code_points(header_, colours->color_primaries, colours->transfer_characteristics, title_);
  }

  void read_metadata() {
    heif_item_id ids[16];
    const int count = heif_image_handle_get_list_of_metadata_block_IDs(handle_.get(), nullptr, ids, 16);
    for (int i = 0; i < count; ++i) {
      const char* type = heif_image_handle_get_metadata_type(handle_.get(), ids[i]);
      const std::size_t length = heif_image_handle_get_metadata_size(handle_.get(), ids[i]);
      if (type == nullptr || length == 0 || length > (std::size_t{4} << 20)) continue;
      std::vector<unsigned char> block(length);
      if (heif_image_handle_get_metadata(handle_.get(), ids[i], block.data()).code != heif_error_Ok) continue;
      if (std::strcmp(type, "Exif") == 0 && length > 4) {
        const std::uint64_t begin = 4 + std::uint64_t{ByteReader(block, true).u32(0)};
        if (begin < length) take_exif(header_, Bytes(block).subspan(begin));
      } else if (std::strcmp(type, "mime") == 0) {
        header_.xmp = block;
      }
    }
    if (!header_.profile.empty()) header_.has_primaries = false;
  }

  void decode() {
    const Owned<heif_decoding_options> options(heif_decoding_options_alloc());
    options->ignore_transformations = 0;
    const bool wide = header_.bits > 8;
    const heif_chroma chroma =
        header_.alpha ? (wide ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RGBA)
                      : (wide ? heif_chroma_interleaved_RRGGBB_LE : heif_chroma_interleaved_RGB);
    heif_image* image = nullptr;
    require(heif_decode_image(handle_.get(), &image, heif_colorspace_RGB, chroma, options.get()));
    image_.reset(image);
    if (heif_image_get_width(image, heif_channel_interleaved) != header_.width ||
        heif_image_get_height(image, heif_channel_interleaved) != header_.height)
      throw Damaged("its picture is of another size than its header says");
    plane_ = heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride_);
    bits_ = heif_image_get_bits_per_pixel_range(image, heif_channel_interleaved);
    wide_ = wide;
    if (plane_ == nullptr || bits_ < 1 || bits_ > 16) throw Damaged("it could not be decoded");
  }

  std::string title_;
  Owned<heif_context> context_;
  Owned<heif_image_handle> handle_;
  Owned<heif_image> image_;
  const std::uint8_t* plane_ = nullptr;
  int stride_ = 0;
  int bits_ = 8;
  bool wide_ = false;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_heif(Bytes bytes, const std::string& title) {
  return std::make_unique<HeifDecoder>(bytes, title);
}

}  // namespace gramflow::decode
