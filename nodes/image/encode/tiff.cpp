#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <exception>

#include "nodes/image/encode/encoder.h"

namespace gramflow::encode {
namespace {

/// libtiff goes back to write the directory's place, but reads nothing. What the sink throws must not pass
/// through it.
class TiffFile {
 public:
  explicit TiffFile(const WriteAt& write) : write_(write) {
    TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
    if (options == nullptr) throw std::bad_alloc();
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, this);
    TIFFOpenOptionsSetWarningHandlerExtR(
        options, [](TIFF*, void*, const char*, const char*, va_list) { return 1; }, nullptr);
    tiff_ = TIFFClientOpenExt(
        "picture", "w", this, [](thandle_t, void*, tmsize_t) { return tmsize_t{0}; }, write_bytes, seek,
        [](thandle_t) { return 0; }, [](thandle_t self) { return static_cast<TiffFile*>(self)->end_; },
        nullptr, nullptr, options);
    TIFFOpenOptionsFree(options);
    if (tiff_ == nullptr) fail();
  }
  ~TiffFile() {
    if (tiff_ != nullptr) TIFFClose(tiff_);
  }
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;
  operator TIFF*() const { return tiff_; }
  void require(bool good) const {
    if (!good) fail();
  }
  void close() {
    require(TIFFFlush(tiff_) != 0);
    TIFFClose(tiff_);
    tiff_ = nullptr;
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  [[noreturn]] void fail() const {
    if (thrown_) std::rethrow_exception(thrown_);
    throw EncodeError(said_.empty() ? "no reason given" : said_);
  }
  static int on_error(TIFF*, void* self, const char*, const char* format, va_list arguments) {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    static_cast<TiffFile*>(self)->said_ = text;
    return 1;
  }
  static tmsize_t write_bytes(thandle_t handle, void* bytes, tmsize_t count) {
    auto* self = static_cast<TiffFile*>(handle);
    try {
      self->write_(self->at_, bytes, static_cast<std::size_t>(count));
    } catch (...) {
      self->thrown_ = std::current_exception();
      return -1;
    }
    self->at_ += static_cast<std::uint64_t>(count);
    self->end_ = std::max(self->end_, self->at_);
    return count;
  }
  static toff_t seek(thandle_t handle, toff_t offset, int from) {
    auto* self = static_cast<TiffFile*>(handle);
    self->at_ = from == SEEK_SET ? offset : from == SEEK_CUR ? self->at_ + offset : self->end_ + offset;
    return self->at_;
  }

  const WriteAt& write_;
  TIFF* tiff_ = nullptr;
  std::uint64_t at_ = 0;
  std::uint64_t end_ = 0;
  std::string said_;
  std::exception_ptr thrown_;
};

}  // namespace

void write_tiff(const Encoding& encoding, const SampleRow& row, const WriteAt& write) {
  TiffFile file(write);
  TIFFSetField(file, TIFFTAG_IMAGEWIDTH, encoding.size.width);
  TIFFSetField(file, TIFFTAG_IMAGELENGTH, encoding.size.height);
  TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, encoding.bits);
  TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, 3);
  TIFFSetField(file, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
  TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(file, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  TIFFSetField(file, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  TIFFSetField(file, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
  TIFFSetField(file, TIFFTAG_ROWSPERSTRIP, 32);
  const std::vector<unsigned char> profile = encoding.profile.empty() ? srgb_profile() : encoding.profile;
  TIFFSetField(file, TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(profile.size()), profile.data());
  if (!encoding.software.empty()) TIFFSetField(file, TIFFTAG_SOFTWARE, encoding.software.c_str());
  if (!encoding.description.empty())
    TIFFSetField(file, TIFFTAG_IMAGEDESCRIPTION, encoding.description.c_str());
  if (!encoding.xmp.empty())
    TIFFSetField(file, TIFFTAG_XMLPACKET, static_cast<std::uint32_t>(encoding.xmp.size()),
                 encoding.xmp.data());
  std::vector<unsigned char> samples(static_cast<std::size_t>(encoding.size.width) * 3 *
                                     static_cast<std::size_t>(encoding.bits / 8));
  for (int y = 0; y < encoding.size.height; ++y) {
    row(y, samples.data());
    file.require(TIFFWriteScanline(file, samples.data(), static_cast<std::uint32_t>(y), 0) == 1);
  }
  file.close();
}

}  // namespace gramflow::encode
