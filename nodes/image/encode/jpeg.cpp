#include <cstdio>

#include <jpeglib.h>

#include "nodes/image/encode/encoder.h"

namespace gramflow::encode {
namespace {

[[noreturn]] void on_error(j_common_ptr cinfo) {
  char text[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, text);
  throw EncodeError(text);
}

/// libjpeg's way out: a buffer that is handed on when it is full.
struct Destination : jpeg_destination_mgr {
  explicit Destination(const WriteAt& write)
      : jpeg_destination_mgr{}, append(write), buffer(std::size_t{1} << 16) {
    init_destination = [](j_compress_ptr cinfo) { of(cinfo).start(); };
    empty_output_buffer = [](j_compress_ptr cinfo) {
      Destination& self = of(cinfo);
      self.append(self.buffer.data(), self.buffer.size());
      self.start();
      return boolean{TRUE};
    };
    term_destination = [](j_compress_ptr cinfo) {
      Destination& self = of(cinfo);
      self.append(self.buffer.data(), self.buffer.size() - self.free_in_buffer);
    };
  }
  static Destination& of(j_compress_ptr cinfo) { return *static_cast<Destination*>(cinfo->dest); }
  void start() {
    next_output_byte = buffer.data();
    free_in_buffer = buffer.size();
  }
  Appender append;
  std::vector<JOCTET> buffer;
};

struct Compressor {
  Compressor() {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = on_error;
    errors.output_message = [](j_common_ptr) {};
    jpeg_create_compress(&info);
  }
  ~Compressor() { jpeg_destroy_compress(&info); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
};

void write_marker(jpeg_compress_struct& info, int marker, std::string_view before, const unsigned char* data,
                  std::size_t count) {
  constexpr std::size_t most = 65533;
  if (count == 0 || before.size() + count > most) return;
  std::vector<JOCTET> bytes(before.begin(), before.end());
  bytes.insert(bytes.end(), data, data + count);
  jpeg_write_marker(&info, marker, bytes.data(), static_cast<unsigned>(bytes.size()));
}

}  // namespace

void write_jpeg(const Encoding& encoding, const SampleRow& row, const WriteAt& write) {
  Destination destination(write);
  Compressor compressor;
  jpeg_compress_struct& info = compressor.info;
  info.dest = &destination;
  info.image_width = static_cast<JDIMENSION>(encoding.size.width);
  info.image_height = static_cast<JDIMENSION>(encoding.size.height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, encoding.quality, TRUE);
  const bool full = encoding.quality >= 90;
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = full ? 1 : 2;
  jpeg_start_compress(&info, TRUE);
  write_marker(info, JPEG_APP0 + 1, std::string_view("Exif\0\0", 6), encoding.exif.data(),
               encoding.exif.size());
  write_marker(info, JPEG_APP0 + 1, std::string_view("http://ns.adobe.com/xap/1.0/\0", 29),
               encoding.xmp.data(), encoding.xmp.size());
  const std::vector<unsigned char> profile = encoding.profile.empty() ? srgb_profile() : encoding.profile;
  jpeg_write_icc_profile(&info, profile.data(), static_cast<unsigned>(profile.size()));
  const auto* comment = reinterpret_cast<const unsigned char*>(encoding.description.data());
  write_marker(info, JPEG_COM, "", comment, encoding.description.size());
  std::vector<JSAMPLE> samples(static_cast<std::size_t>(encoding.size.width) * 3);
  JSAMPROW line = samples.data();
  for (int y = 0; y < encoding.size.height; ++y) {
    row(y, samples.data());
    jpeg_write_scanlines(&info, &line, 1);
  }
  jpeg_finish_compress(&info);
}

}  // namespace gramflow::encode
