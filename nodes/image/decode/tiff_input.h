#pragma once
// libtiff's view of a file that lies in memory, and what it says of it. Internal to tiff.cpp.
#include <tiffio.h>

#include <cstdarg>
#include <string>

#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

class TiffInput {
 public:
  /// `bytes` must outlive it. Throws Damaged.
  explicit TiffInput(Bytes bytes);
  ~TiffInput();
  TiffInput(const TiffInput&) = delete;
  TiffInput& operator=(const TiffInput&) = delete;

  TIFF* tiff() const { return tiff_; }
  const std::string& said() const { return said_; }        ///< libtiff's first error
  bool cut_short() const { return cut_short_; }            ///< a value lies beyond the file's end
  const std::string& made_up() const { return made_up_; }  ///< what libjpeg invented

 private:
  static TiffInput& of(void* self) { return *static_cast<TiffInput*>(self); }
  static int on_error(TIFF*, void* self, const char*, const char* format, va_list arguments);
  static int on_warning(TIFF*, void* self, const char*, const char* format, va_list arguments);
  static tmsize_t read(thandle_t self, void* to, tmsize_t count);
  static toff_t seek(thandle_t self, toff_t offset, int from);
  static int map(thandle_t self, void** base, toff_t* size);

  Bytes bytes_;
  std::size_t at_ = 0;
  TIFF* tiff_ = nullptr;
  std::string said_;
  bool cut_short_ = false;
  std::string made_up_;
};

}  // namespace gramflow::decode
