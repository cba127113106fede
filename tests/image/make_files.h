#pragma once
// What the picture tests share: a folder that goes away, files of every kind, and pictures to compare.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nodes/image/picture.h"
#include "tests/support/temporary_folder.h"

namespace gramflow::test {

std::string file_bytes(const std::string& path);
void put_bytes(const std::string& path, const std::string& bytes);

struct RawFile {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::string sample = "uint8";  ///< OpenImageIO's name: uint8, uint16, half, float
  int orientation = 1;
  bool unassociated_alpha = false;  ///< `samples` hold colour that was not multiplied by alpha
  int tile = 0;
  std::vector<float> samples{};              ///< width * height * channels values, 1 is white
  std::vector<std::string> channel_names{};  ///< empty: the usual ones
  std::vector<std::pair<std::string, int>> attributes{};
};
/// Writes the samples as they are. Fails the test when OpenImageIO cannot.
void write_raw(const std::string& path, const RawFile& file);

/// An OpenEXR of several samples a pixel.
void write_deep_exr(const std::string& path);

/// A PNG's bytes with a chunk more behind its header; a JPEG's with a segment more at its beginning.
std::string with_png_chunk(const std::string& png, const std::string& name, const std::string& data);
std::string with_jpeg_segment(const std::string& jpeg, int marker, const std::string& data);
std::string big_endian(std::uint32_t value, int bytes = 4);

/// Smooth in both directions, different in each channel, every value a multiple of 1/255.
Picture sample_picture(int width, int height);

/// Largest difference of two pictures, in steps of 1/255; infinite when the sizes differ.
double difference(const Picture& a, const Picture& b);

/// What `work` throws as an Error, or "" when it throws nothing. Another type of exception fails the test.
template <class Error>
std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace gramflow::test
