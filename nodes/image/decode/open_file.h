#pragma once
#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

/// Opens a picture of a format by its key in readable_formats() (nodes/image/readable_formats.h). `path`
/// names the same file as `bytes`, for libraries that read files only. Throws Damaged and NotRead.
std::unique_ptr<Decoder> open_file(const std::string& format, Bytes bytes, const std::string& path);

}  // namespace gramflow::decode
