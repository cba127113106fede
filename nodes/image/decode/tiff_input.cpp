#include "nodes/image/decode/tiff_input.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

namespace gramflow::decode {
namespace {

std::string text_of(const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  return text;
}

}  // namespace

TiffInput::TiffInput(Bytes bytes) : bytes_(bytes) {
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, this);
  tiff_ = TIFFClientOpenExt(
      "picture", "rm", this, read, [](thandle_t, void*, tmsize_t) { return tmsize_t{0}; }, seek,
      [](thandle_t) { return 0; }, [](thandle_t self) { return toff_t{of(self).bytes_.size()}; }, map,
      [](thandle_t, void*, toff_t) {}, options);
  TIFFOpenOptionsFree(options);
  if (tiff_ == nullptr) throw Damaged(said_.empty() ? "it has no directory" : said_);
}

TiffInput::~TiffInput() { TIFFClose(tiff_); }

int TiffInput::on_error(TIFF*, void* self, const char*, const char* format, va_list arguments) {
  if (of(self).said_.empty()) of(self).said_ = text_of(format, arguments);
  return 1;
}

int TiffInput::on_warning(TIFF*, void* self, const char*, const char* format, va_list arguments) {
  const std::string text = text_of(format, arguments);
  // A value of the directory that lies beyond the file's end, a profile perhaps.
  if (text.find("IO error during reading") != std::string::npos) of(self).cut_short_ = true;
  // libjpeg within libtiff makes up what is missing and calls it a warning.
  if (text.find("Corrupt JPEG") != std::string::npos || text.find("Premature end") != std::string::npos)
    of(self).made_up_ = text;
  return 1;
}

tmsize_t TiffInput::read(thandle_t self, void* to, tmsize_t count) {
  TiffInput& file = of(self);
  const std::size_t left = file.bytes_.size() - std::min(file.at_, file.bytes_.size());
  const std::size_t taken = std::min(left, static_cast<std::size_t>(std::max<tmsize_t>(count, 0)));
  if (taken > 0) std::memcpy(to, file.bytes_.data() + file.at_, taken);
  file.at_ += taken;
  return static_cast<tmsize_t>(taken);
}

toff_t TiffInput::seek(thandle_t self, toff_t offset, int from) {
  TiffInput& file = of(self);
  file.at_ = from == SEEK_SET ? offset : from == SEEK_CUR ? file.at_ + offset : file.bytes_.size() + offset;
  return file.at_;
}

int TiffInput::map(thandle_t self, void** base, toff_t* size) {
  *base = const_cast<unsigned char*>(of(self).bytes_.data());  // libtiff only reads there
  *size = of(self).bytes_.size();
  return 1;
}

}  // namespace gramflow::decode
