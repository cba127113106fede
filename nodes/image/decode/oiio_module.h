#pragma once
#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

/// What gramflow-formats.so gives, by way of its one symbol, `gramflow_formats`. `format` is OpenImageIO's
/// name.
struct OiioModule {
  std::unique_ptr<Decoder> (*open)(const std::string& format, Bytes bytes, const std::string& path);
};

/// A file of cameras' raw data that looks like TIFF.
class RawInTiff : public std::exception {};

}  // namespace gramflow::decode
