#include "nodes/image/decode/open_file.h"

namespace gramflow::decode {

std::unique_ptr<Decoder> open_file(const std::string& format, Bytes bytes, const std::string& path) {
  (void)path;
  if (format == "png") return open_png(bytes);
  if (format == "jpeg") return open_jpeg(bytes);
  if (format == "tiff") return open_tiff(bytes);
  if (format == "openexr") return open_exr(bytes);
  if (format == "webp") return open_webp(bytes);
  if (format == "gif") return open_gif(bytes);
  if (format == "bmp") return open_bmp(bytes);
  if (format == "pnm") return open_pnm(bytes);
  throw Damaged("no decoder is known for '" + format + "'");
}

}  // namespace gramflow::decode
