#include "nodes/image/decode/open_file.h"

#include <dlfcn.h>

#include "framework/base/child_program.h"
#include "framework/base/error.h"
#include "nodes/image/decode/oiio_module.h"

namespace gramflow::decode {
namespace {

std::unique_ptr<Decoder> open_by_openimageio(const std::string& format, Bytes bytes,
                                             const std::string& path) {
  std::string module;
  try {
    module = installed_file("gramflow-formats.so", "reads such pictures");
  } catch (const MissingResource& e) {
    throw NotRead("a picture for which a part of gramflow is missing", e.what());
  }
  void* handle =
      ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);  // loaded once, however often
  const void* symbol = handle == nullptr ? nullptr : ::dlsym(handle, "gramflow_formats");
  if (symbol == nullptr) throw NotRead("a picture for which OpenImageIO is missing", ::dlerror());
  return static_cast<const OiioModule*>(symbol)->open(format, bytes, path);
}

}  // namespace

std::unique_ptr<Decoder> open_file(const std::string& format, Bytes bytes, const std::string& path) {
  if (format == "png") return open_png(bytes);
  if (format == "jpeg") return open_jpeg(bytes);
  if (format == "openexr") return open_exr(bytes);
  if (format == "webp") return open_webp(bytes);
  if (format == "gif") return open_gif(bytes);
  if (format == "bmp") return open_bmp(bytes);
  if (format == "pnm") return open_pnm(bytes);
  if (format == "heic") return open_heif(bytes, "HEIC");
  if (format == "avif") return open_heif(bytes, "AVIF");
  if (format == "jxl") return open_jxl(bytes);
  if (format != "tiff") return open_by_openimageio(format, bytes, path);
  try {
    return open_tiff(bytes);
  } catch (const RawInTiff&) {
    return open_by_openimageio("raw", bytes, path);
  }
}

}  // namespace gramflow::decode
