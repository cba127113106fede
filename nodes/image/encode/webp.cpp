// libwebp wants the whole picture and gives the whole file; libwebpmux puts profile and metadata around it.
#include <webp/encode.h>
#include <webp/mux.h>

#include <memory>

#include "nodes/image/encode/encoder.h"

namespace gramflow::encode {
namespace {

struct FreePicture {
  void operator()(WebPPicture* picture) const { WebPPictureFree(picture); }
};
struct FreeMux {
  void operator()(WebPMux* mux) const { WebPMuxDelete(mux); }
};

void import_rows(const Encoding& encoding, const SampleRow& row, WebPPicture& picture) {
  std::vector<std::uint8_t> samples(static_cast<std::size_t>(encoding.size.width) * 3);
  for (int y = 0; y < encoding.size.height; ++y) {
    row(y, samples.data());
    std::uint32_t* to = picture.argb + static_cast<std::ptrdiff_t>(y) * picture.argb_stride;
    for (std::size_t x = 0; x < samples.size(); x += 3)
      *to++ =
          0xFF000000U | std::uint32_t{samples[x]} << 16 | std::uint32_t{samples[x + 1]} << 8 | samples[x + 2];
  }
}

WebPData data_of(const std::vector<unsigned char>& bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

void write_webp(const Encoding& encoding, const SampleRow& row, const WriteAt& write) {
  WebPConfig config;
  WebPPicture picture;
  if (WebPConfigInit(&config) == 0 || WebPPictureInit(&picture) == 0)
    throw EncodeError("libwebp is of another version");
  config.quality = static_cast<float>(encoding.quality);
  config.method = 6;
  config.low_memory = 1;  // a quarter of the memory, and the same amount whatever the picture shows
  const std::unique_ptr<WebPPicture, FreePicture> freed(&picture);
  picture.width = encoding.size.width;
  picture.height = encoding.size.height;
  picture.use_argb = 1;
  if (WebPPictureAlloc(&picture) == 0) throw std::bad_alloc();
  import_rows(encoding, row, picture);
  WebPMemoryWriter memory;
  WebPMemoryWriterInit(&memory);
  const std::unique_ptr<WebPMemoryWriter, decltype(&WebPMemoryWriterClear)> cleared(&memory,
                                                                                    WebPMemoryWriterClear);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &memory;
  if (WebPEncode(&config, &picture) == 0)
    throw EncodeError("libwebp's error " + std::to_string(picture.error_code));
  WebPPictureFree(&picture);
  const std::unique_ptr<WebPMux, FreeMux> mux(WebPMuxNew());
  const std::vector<unsigned char> profile = encoding.profile.empty() ? srgb_profile() : encoding.profile;
  const WebPData image{memory.mem, memory.size};
  const auto put = [&](const char* chunk, const std::vector<unsigned char>& bytes) {
    const WebPData data = data_of(bytes);
    if (!bytes.empty() && WebPMuxSetChunk(mux.get(), chunk, &data, 0) != WEBP_MUX_OK)
      throw EncodeError("libwebpmux takes no profile or metadata");
  };
  if (!mux || WebPMuxSetImage(mux.get(), &image, 0) != WEBP_MUX_OK)
    throw EncodeError("libwebpmux does not take the picture");
  put("ICCP", profile);
  put("EXIF", encoding.exif);
  put("XMP ", encoding.xmp);
  WebPData whole{};
  if (WebPMuxAssemble(mux.get(), &whole) != WEBP_MUX_OK)
    throw EncodeError("libwebpmux cannot put the file together");
  const std::unique_ptr<WebPData, decltype(&WebPDataClear)> dropped(&whole, WebPDataClear);
  write(0, whole.bytes, whole.size);
}

}  // namespace gramflow::encode
