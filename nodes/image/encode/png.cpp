#include <png.h>

#include <cstring>

#include "nodes/image/encode/encoder.h"

namespace gramflow::encode {
namespace {

[[noreturn]] void on_error(png_structp, png_const_charp message) { throw EncodeError(message); }
void on_warning(png_structp, png_const_charp) {}
void write_bytes(png_structp png, png_bytep bytes, png_size_t count) {
  (*static_cast<Appender*>(png_get_io_ptr(png)))(bytes, count);
}

class PngWriter {
 public:
  PngWriter() : png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, on_error, on_warning)) {
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  void write(const Encoding& encoding, const SampleRow& row, Appender& append) {
    png_set_write_fn(png_, &append, write_bytes, [](png_structp) {});
    const auto width = static_cast<png_uint_32>(encoding.size.width);
    const auto height = static_cast<png_uint_32>(encoding.size.height);
    png_set_IHDR(png_, info_, width, height, encoding.bits, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (encoding.profile.empty())
      png_set_sRGB_gAMA_and_cHRM(png_, info_, PNG_sRGB_INTENT_PERCEPTUAL);
    else
      png_set_iCCP(png_, info_, "ICC profile", PNG_COMPRESSION_TYPE_BASE, encoding.profile.data(),
                   static_cast<png_uint_32>(encoding.profile.size()));
    set_texts(encoding);
    if (!encoding.exif.empty()) {
      std::vector<png_byte> exif(encoding.exif);
      png_set_eXIf_1(png_, info_, static_cast<png_uint_32>(exif.size()), exif.data());
    }
    png_write_info(png_, info_);
    if (encoding.bits == 16) png_set_swap(png_);
    std::vector<png_byte> samples(std::size_t{width} * 3 * static_cast<std::size_t>(encoding.bits / 8));
    for (int y = 0; y < encoding.size.height; ++y) {
      row(y, samples.data());
      png_write_row(png_, samples.data());
    }
    png_write_end(png_, nullptr);
  }

 private:
  void set_texts(const Encoding& encoding) {
    const auto set = [&](const char* key, const std::string& text, int kind) {
      if (text.empty()) return;
      png_text entry{};
      std::string name = key;
      std::string value = text;
      char none[] = "";
      entry.compression = kind;
      entry.key = name.data();
      entry.text = value.data();
      entry.text_length = value.size();
      entry.lang = none;
      entry.lang_key = none;
      png_set_text(png_, info_, &entry, 1);
    };
    set("Software", encoding.software, PNG_TEXT_COMPRESSION_NONE);
    set("Description", encoding.description, PNG_TEXT_COMPRESSION_NONE);
    set("XML:com.adobe.xmp", std::string(encoding.xmp.begin(), encoding.xmp.end()),
        PNG_ITXT_COMPRESSION_NONE);
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

void write_png(const Encoding& encoding, const SampleRow& row, const WriteAt& write) {
  Appender append(write);
  PngWriter().write(encoding, row, append);
}

}  // namespace gramflow::encode
