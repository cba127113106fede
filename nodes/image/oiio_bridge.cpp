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

int channel_called(const OIIO::ImageSpec& spec, std::initializer_list<std::string> names) {
  for (const std::string& name : names)
    for (int c = 0; c < spec.nchannels; ++c)
      if (OIIO::Strutil::iequals(spec.channel_name(c), name)) return c;
  return -1;
}

bool choose_colour(const OIIO::ImageSpec& spec, const std::string& layer, Header& header) {
  const int red = channel_called(spec, {layer + "R", layer + "red"});
  const int green = channel_called(spec, {layer + "G", layer + "green"});
  const int blue = channel_called(spec, {layer + "B", layer + "blue"});
  if (red < 0 || green < 0 || blue < 0) return false;
  header.colour = {red, green, blue};
  header.alpha = channel_called(spec, {layer + "A", layer + "alpha"});
  return true;
}

// Colour channels by name, as EXR files need; other formats name theirs R, G, B, A or Y. Renderers put EXR
// channels into layers ("beauty.R"): without plain ones, the first layer that has all three colours counts.
void choose_channels(const OIIO::ImageSpec& spec, Header& header) {
  if (choose_colour(spec, "", header)) {
    if (spec.alpha_channel >= 0 && spec.alpha_channel < spec.nchannels) header.alpha = spec.alpha_channel;
    return;
  }
  for (int c = 0; c < spec.nchannels; ++c) {
    const std::string name = spec.channel_name(c);
    const std::size_t dot = name.rfind('.');
    if (dot != std::string::npos && choose_colour(spec, name.substr(0, dot + 1), header)) return;
  }
  const int grey = std::max(0, channel_called(spec, {"Y", "I", "L"}));
  header.colour = {grey, grey, grey};
  header.alpha = spec.alpha_channel >= 0 && spec.alpha_channel < spec.nchannels
                     ? spec.alpha_channel
                     : channel_called(spec, {"A", "alpha"});
}

class FileReader final : public Reader {
 public:
  FileReader(const std::string& path, const std::string& format);
  void read_rows(std::int64_t begin, std::int64_t end, float* out) override;
  void finish() override;

 private:
  std::unique_ptr<OIIO::ImageInput> input_;
  OIIO::ImageSpec spec_;
};

FileReader::FileReader(const std::string& path, const std::string& format) {
  forbid_threads();
  input_ = OIIO::ImageInput::create(format);
  if (!input_)
    throw CodecError(fmt::format("OpenImageIO was built without {}: {}", format, tidy(OIIO::geterror())));
  OIIO::ImageSpec wishes;
  wishes.attribute("oiio:UnassociatedAlpha", 1);  // keep the colour under alpha as stored
  auto& spec = spec_;
  try {
    if (!input_->open(path, spec, wishes)) throw CodecError(tidy(input_->geterror()));
  } catch (const CodecError&) {
    throw;
  } catch (const std::exception& e) {
    throw CodecError(tidy(e.what()));
  }
  header_.width = spec.width;
  header_.height = spec.height;
  header_.channels = spec.nchannels;
  header_.floating = spec.format.is_floating_point();
  header_.bits = spec.get_int_attribute("oiio:BitsPerSample", static_cast<int>(spec.format.basesize()) * 8);
  header_.orientation = std::clamp(spec.get_int_attribute("Orientation", 1), 1, 8);
  header_.software = spec.get_string_attribute("Software");
  header_.description = spec.get_string_attribute("ImageDescription");
  header_.colour_profile = spec.find_attribute("ICCProfile") != nullptr;
  header_.from_cmyk = spec.get_string_attribute("oiio:ColorSpace") == "CMYK" ||
                      spec.get_string_attribute("jpeg:ColorSpace") == "CMYK" ||
                      spec.get_string_attribute("tiff:ColorSpace") == "CMYK";
  choose_channels(spec, header_);
  header_.premultiplied = header_.alpha >= 0 && spec.get_int_attribute("oiio:UnassociatedAlpha", 0) == 0;
  row_step_ = std::max(1, spec.tile_height);
  first_channel_ = std::min({header_.colour[0], header_.colour[1], header_.colour[2]});
  int last = std::max({header_.colour[0], header_.colour[1], header_.colour[2]});
  if (header_.alpha >= 0) {
    first_channel_ = std::min(first_channel_, header_.alpha);
    last = std::max(last, header_.alpha);
  }
  channel_count_ = last + 1 - first_channel_;
}

void FileReader::read_rows(std::int64_t begin, std::int64_t end, float* out) {
  const int y0 = spec_.y + static_cast<int>(begin);
  const int y1 = spec_.y + static_cast<int>(end);
  const int c0 = first_channel_;
  const int c1 = first_channel_ + channel_count_;
  bool good = false;
  try {
    good = spec_.tile_width > 0 ? input_->read_tiles(0, 0, spec_.x, spec_.x + spec_.width, y0, y1, spec_.z,
                                                     spec_.z + 1, c0, c1, OIIO::TypeFloat, out)
                                : input_->read_scanlines(0, 0, y0, y1, spec_.z, c0, c1, OIIO::TypeFloat, out);
  } catch (const std::exception& e) {
    throw CodecError(tidy(e.what()));
  }
  if (!good) throw CodecError(tidy(input_->geterror()));
}

void FileReader::finish() {
  // libjpeg and others fill what is missing with grey and call it a warning; OpenImageIO keeps that as an
  // error text.
  if (input_->has_error()) throw CodecError(tidy(input_->geterror()));
}

std::unique_ptr<Reader> open_file(const std::string& path, const std::string& format) {
  return std::make_unique<FileReader>(path, format);
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
const gramflow::oiio::Module gramflow_pictures = {gramflow::oiio::open_file, gramflow::oiio::encode_picture};
