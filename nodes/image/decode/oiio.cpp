// What OpenImageIO reads well: JPEG 2000, TGA, PSD, DPX, Radiance HDR, cameras' raw files. It brings 200
// libraries along, so this file is a module of its own, gramflow-formats.so, that the decoding program loads
// when it meets such a file.
//
// The size is read from the file's own header and judged before OpenImageIO sees the file.
#include <OpenImageIO/imageio.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "nodes/image/decode/byte_reader.h"
#include "nodes/image/decode/oiio_module.h"
#include "nodes/image/decode/stored_size.h"

namespace gramflow::decode {
namespace {

std::string tidy(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  while (!message.empty() && message.back() == ' ') message.pop_back();
  return message.empty() ? "no reason given" : message;
}

/// The ICC profile of a colour box, which OpenImageIO leaves out: its length, "colr", method 2, two bytes,
/// the profile.
std::vector<unsigned char> jpeg2000_profile(Bytes bytes) {
  const ByteReader read(bytes, true);
  const std::size_t most = std::min<std::size_t>(bytes.size(), 65536);
  for (std::size_t at = 4; at + 8 < most; ++at) {
    if (!read.is(at, "colr") || read.u8(at + 4) != 2) continue;
    const std::uint64_t length = read.u32(at - 4);
    if (length < 11 || !read.has(at + 7, length - 11)) return {0};
    const Bytes profile = read.part(at + 7, length - 11);
    return {profile.begin(), profile.end()};
  }
  return {};
}

class OiioDecoder final : public Decoder {
 public:
  OiioDecoder(const std::string& format, Bytes bytes, const std::string& path) {
    OIIO::attribute("threads", 1);
    const StoredSize size = stored_size(format, bytes);
    if (size.width < 1 || size.height < 1 || size.width > (std::int64_t{1} << 30) / size.height)
      throw Damaged("its header says " + std::to_string(size.width) + "x" + std::to_string(size.height) +
                    " pixels");
    input_ = OIIO::ImageInput::create(format);
    if (!input_) {
      OIIO::geterror();
      throw NotRead("a picture that this system's OpenImageIO was built without (" + format + ")",
                    "convert it with another program to PNG");
    }
    OIIO::ImageSpec wishes;
    wishes.attribute("oiio:UnassociatedAlpha", 1);
    if (!input_->open(path, spec_, wishes)) throw Damaged(tidy(input_->geterror()));
    take_header(format, bytes);
  }

  void read_row(float* out) override {
    const auto row = static_cast<std::size_t>(spec_.width) * static_cast<std::size_t>(spec_.nchannels);
    if (next_row_ % portion == 0) {
      const int count = static_cast<int>(std::min<std::int64_t>(portion, header_.height - next_row_));
      rows_.resize(row * static_cast<std::size_t>(count));
      const int y = spec_.y + static_cast<int>(next_row_);
      if (!input_->read_scanlines(0, 0, y, y + count, spec_.z, 0, spec_.nchannels, OIIO::TypeFloat,
                                  rows_.data()))
        throw Damaged(tidy(input_->geterror()));
    }
    const float* from = rows_.data() + static_cast<std::size_t>(next_row_++ % portion) * row;
    const int colours = samples_of(header_.model);
    for (int x = 0; x < spec_.width; ++x, from += spec_.nchannels) {
      out = std::copy_n(from, colours, out);
      if (header_.alpha) *out++ = from[alpha_];
    }
  }

  void finish() override {
    if (input_->has_error()) throw Damaged(tidy(input_->geterror()));
  }

 private:
  void take_header(const std::string& format, Bytes bytes) {
    header_.width = spec_.width;
    header_.height = spec_.height;
    header_.channels = spec_.nchannels;
    header_.bits =
        spec_.get_int_attribute("oiio:BitsPerSample", static_cast<int>(spec_.format.basesize()) * 8);
    header_.model = spec_.nchannels < 3 ? ColourModel::grey : ColourModel::rgb;
    alpha_ = spec_.alpha_channel;
    header_.alpha = alpha_ >= samples_of(header_.model) && alpha_ < spec_.nchannels;
    header_.premultiplied = header_.alpha && spec_.get_int_attribute("oiio:UnassociatedAlpha", 0) == 0;
    header_.floating = spec_.format.is_floating_point();
    const std::string colours = spec_.get_string_attribute("oiio:ColorSpace");
    if (format == "dpx" &&
        (colours == "KodakLog" || spec_.get_string_attribute("dpx:Transfer") == "Printing density"))
      throw NotRead("a DPX of film densities (logarithmic)", "convert it with another program to OpenEXR");
    if (spec_.tile_width != 0) throw NotRead("a picture in tiles", "convert it with another program to PNG");
    if (format == "psd" && spec_.get_int_attribute("psd:ColorMode", 3) == 4)
      header_.notes.emplace_back("CMYK is converted to RGB without a colour profile; colours may shift");
    header_.orientation = std::clamp(spec_.get_int_attribute("Orientation", 1), 1, 8);
    header_.software = spec_.get_string_attribute("Software");
    header_.description = spec_.get_string_attribute("ImageDescription");
    if (const auto* profile = spec_.find_attribute("ICCProfile"); profile != nullptr && format != "raw") {
      const auto* data = static_cast<const unsigned char*>(profile->data());
      header_.profile.assign(data, data + profile->datasize());
    }
    if (format == "jpeg2000") header_.profile = jpeg2000_profile(bytes);
    if (format == "raw")
      header_.notes.emplace_back("a camera's raw file is developed with the camera's white balance, to sRGB");
    if (spec_.nchannels > header_.samples())
      header_.notes.emplace_back("channels other than its colours are left out");
    const auto pixels = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.height);
    header_.working_bytes = pixels * kept_bytes(format) + libraries;
  }

  /// What is kept of a pixel while rows are asked for, measured: whole pictures of 32-bit numbers, twice, from
  /// JPEG 2000; what the sensor said, and what is made of it, from raw files.
  std::size_t kept_bytes(const std::string& format) const {
    const auto channels = static_cast<std::size_t>(spec_.nchannels);
    if (format == "raw") return 24;
    if (format == "dpx" || format == "hdr") return 0;  // row by row
    return channels * (format == "jpeg2000" ? 8 : 2 * spec_.format.size());
  }

  static constexpr std::size_t libraries = std::size_t{48} << 20;
  static constexpr std::int64_t portion = 64;
  std::unique_ptr<OIIO::ImageInput> input_;
  OIIO::ImageSpec spec_;
  int alpha_ = -1;
  std::vector<float> rows_;
  std::int64_t next_row_ = 0;
};

std::unique_ptr<Decoder> open(const std::string& format, Bytes bytes, const std::string& path) {
  try {
    return std::make_unique<OiioDecoder>(format, bytes, path);
  } catch (const Damaged&) {
    throw;
  } catch (const NotRead&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    throw Damaged(tidy(e.what()));
  }
}

}  // namespace
}  // namespace gramflow::decode

extern "C" const gramflow::decode::OiioModule gramflow_formats;
const gramflow::decode::OiioModule gramflow_formats = {gramflow::decode::open};
