// The functions for those who read a single picture: each starts a PictureReader of its own.
#include "nodes/image/picture_io.h"

#include "nodes/image/picture_module.h"
#include "nodes/image/picture_reader.h"

namespace gramflow {

void load_picture_libraries() { encode::picture_module(); }

PictureInfo read_picture_info(const std::string& path) { return PictureReader().info(path); }

Picture read_picture(const std::string& path) { return PictureReader().read(path); }

void read_picture(const std::string& path, std::span<float> rgb, PictureSize expected) {
  PictureReader().read(path, rgb, expected);
}

std::size_t reading_bytes(const PictureInfo& info) {
  constexpr std::size_t child_itself = std::size_t{16} << 20;  // the program, its libraries, the shared block
  return info.working_bytes + info.file_bytes + child_itself;
}

}  // namespace gramflow
