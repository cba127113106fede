#include "nodes/image/oiio_bridge.h"

#include <OpenImageIO/filesystem.h>
#include <OpenImageIO/imageio.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace gramflow::oiio {
namespace {

// OpenImageIO and OpenEXR would otherwise start a pool each; TBB owns the cores. Cheap and idempotent, so it
// needs no owner.
void forbid_threads() {
  OIIO::attribute("threads", 1);
  OIIO::attribute("exr_threads", -1);
}

std::string tidy(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  while (!message.empty() && message.back() == ' ') message.pop_back();
  return message.empty() ? "no reason given" : message;
}

// Pictures are encoded into memory: the caller writes the bytes itself and so sees every failure of the disk.

void write_all(OIIO::ImageOutput& output, const std::string& name, const OIIO::ImageSpec& spec,
               OIIO::TypeDesc given, const void* samples) {
  if (!output.open(name, spec)) throw CodecError(tidy(output.geterror()));
  if (!output.write_image(given, samples)) throw CodecError(tidy(output.geterror()));
  if (!output.close()) throw CodecError(tidy(output.geterror()));
}

std::vector<unsigned char> through_proxy(OIIO::ImageOutput& output, const OIIO::ImageSpec& spec,
                                         OIIO::TypeDesc given, const void* samples) {
  std::vector<unsigned char> bytes;
  OIIO::Filesystem::IOVecOutput memory(bytes);
  if (!output.set_ioproxy(&memory)) throw CodecError(tidy(output.geterror()));
  write_all(output, "picture", spec, given, samples);
  return bytes;
}

// OpenImageIO 2.4 writes broken TIFF directories through a proxy, so TIFF gets a file that lives in memory.
std::vector<unsigned char> through_memory_file(OIIO::ImageOutput& output, const OIIO::ImageSpec& spec,
                                               OIIO::TypeDesc given, const void* samples) {
  struct MemoryFile {
    int descriptor = ::memfd_create("gramflow-picture", MFD_CLOEXEC);
    ~MemoryFile() {
      if (descriptor >= 0) ::close(descriptor);
    }
  } const file;
  if (file.descriptor < 0) throw CodecError("no memory file could be made");
  write_all(output, fmt::format("/proc/self/fd/{}", file.descriptor), spec, given, samples);
  struct ::stat status {};
  if (::fstat(file.descriptor, &status) != 0) throw CodecError("the memory file cannot be read back");
  std::vector<unsigned char> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ::ssize_t got =
        ::pread(file.descriptor, bytes.data() + done, bytes.size() - done, static_cast<::off_t>(done));
    if (got <= 0) throw CodecError("the memory file cannot be read back");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::vector<unsigned char> encode_picture(const Encoding& encoding, const void* samples) {
  forbid_threads();
  const auto output = OIIO::ImageOutput::create(encoding.format);
  if (!output)
    throw CodecError(
        fmt::format("OpenImageIO was built without {}: {}", encoding.format, tidy(OIIO::geterror())));
  const OIIO::TypeDesc given = encoding.floating     ? OIIO::TypeDesc::FLOAT
                               : encoding.bits == 16 ? OIIO::TypeDesc::UINT16
                                                     : OIIO::TypeDesc::UINT8;
  const OIIO::TypeDesc stored =
      encoding.floating && encoding.bits == 16 ? OIIO::TypeDesc(OIIO::TypeDesc::HALF) : given;
  OIIO::ImageSpec spec(encoding.size.width, encoding.size.height, 3, stored);
  spec.attribute("oiio:ColorSpace", encoding.floating ? "Linear" : "sRGB");
  if (encoding.format == "jpeg") {
    spec.attribute("Compression", fmt::format("jpeg:{}", encoding.quality));
    spec.attribute("jpeg:subsampling", encoding.quality >= 90 ? "4:4:4" : "4:2:0");
  } else if (encoding.format == "webp") {
    spec.attribute("Compression", fmt::format("webp:{}", encoding.quality));
  } else if (encoding.format == "tiff" || encoding.format == "openexr") {
    spec.attribute("Compression", "zip");
  }
  if (!encoding.software.empty()) spec.attribute("Software", encoding.software);
  if (!encoding.description.empty()) spec.attribute("ImageDescription", encoding.description);

  try {
    return encoding.format == "tiff" ? through_memory_file(*output, spec, given, samples)
                                     : through_proxy(*output, spec, given, samples);
  } catch (const CodecError&) {
    throw;
  } catch (const std::exception& e) {
    throw CodecError(tidy(e.what()));
  }
}

}  // namespace
}  // namespace gramflow::oiio

extern "C" const gramflow::oiio::Module gramflow_pictures;
const gramflow::oiio::Module gramflow_pictures = {gramflow::oiio::encode_picture};
