#pragma once
// Picture files. Everything here is single-threaded, may be called from any thread, and needs no state from
// its caller. Whoever reads several pictures uses a PictureReader (picture_reader.h).
//
// Reading: the formats of readable_formats.h, told by their first bytes, not by their names. Whatever the
// file holds becomes sRGB-encoded RGB in [0, 1]: grey is repeated; alpha is left out and the colour beneath
// kept (premultiplied colour is divided by it); whole numbers are divided by their largest; float samples are
// linear light and get the sRGB curve, clamped; colour profiles are honoured; CMYK is converted; EXIF
// orientation is applied. What was left out is told in PictureInfo::notes. docs/pictures.md has it all. A
// file is read whole or not at all: a truncated one is an error, and so is one that ends the program that
// decodes it.
//
// Errors: MissingResource when there is no file to read, RunError for everything else, each message starting
// with the path; and MissingResource when gramflow's own parts are not there.
#include <string>
#include <string_view>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow {

/// More than this is taken for a damaged header (32768 x 32768).
inline constexpr std::int64_t largest_picture_pixels = std::int64_t{1} << 30;

/// What a file's header tells.
struct PictureInfo {
  int width = 0;  ///< as read_picture() gives it: after EXIF orientation
  int height = 0;
  int channels = 0;  ///< in the file: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha, more in EXR
  int bits = 8;      ///< per sample, in the file
  bool alpha = false;
  bool floating = false;               ///< half or float samples, taken for linear light
  int orientation = 1;                 ///< EXIF: 1 upright ... 8
  std::string format;                  ///< the key in readable_formats.h: "jpeg", "png", ...
  std::string software;                ///< what wrote the file, if it says
  std::string description;             ///< its comment or description, if any
  std::vector<std::string> notes;      ///< what read_picture() leaves out or changes, one sentence each
  std::vector<unsigned char> profile;  ///< ICC, when there is one that fits
  std::vector<unsigned char> exif;     ///< as found, from its "II" or "MM" on
  std::vector<unsigned char> xmp;
  std::size_t working_bytes = 0;  ///< what decoding takes beside the result
  std::size_t file_bytes = 0;     ///< the file is mapped into memory while it is decoded
  PictureSize size() const { return {width, height}; }
};

/// Loads the libraries that write pictures; otherwise the first picture does. For whoever has to
/// know their memory before. Throws MissingResource when an installation lacks them.
void load_picture_libraries();

/// Reads the header only. Throws as above; a header may be fine and the pixels damaged, which read_picture()
/// finds.
PictureInfo read_picture_info(const std::string& path);

/// Reads the whole picture.
Picture read_picture(const std::string& path);

/// The same into memory of the caller: `rgb` holds expected.floats() values. Throws RunError when the file's
/// picture is not of the `expected` size (it changed since read_picture_info()). After a throw the content of
/// `rgb` is unspecified.
void read_picture(const std::string& path, std::span<float> rgb, PictureSize expected);

/// Bytes that reading needs beside its result, at most (for memory plans): the child program's, too.
std::size_t reading_bytes(const PictureInfo& info);

struct WriteOptions {
  int quality = 95;  ///< JPEG and WebP, 1 to 100. JPEG of 90 and more keeps full colour resolution (4:4:4).
  int bits = 0;  ///< 0: the format's usual (8; EXR 16, which is half). PNG and TIFF: 8 or 16. EXR: 16 or 32.
                 ///< Others: 8.
  std::string software{};     ///< kept in the file as its software, for example "gramflow 0.1.0"
  std::string description{};  ///< kept as its description, for example the pipeline's hash. BMP-like formats
                              ///< without a place for it: lost.
  std::vector<unsigned char> profile{};  ///< ICC to convert into and to embed; empty: sRGB, which is tagged
  std::vector<unsigned char> exif{};     ///< to embed where there is a place for it
  std::vector<unsigned char> xmp{};
};

/// Bytes that write_picture() needs, at most (for memory plans).
std::size_t writing_bytes(const std::string& path, PictureSize size);

/// "" when a picture can be written under this name with these bits; otherwise what is wrong and what to try,
/// without the path. Touches nothing.
std::string writing_problem(const std::string& path, const WriteOptions& options = {});

/// "" when a picture of this size fits into the format that the ending says; otherwise the limit and formats
/// that would do, without the path. `path` must have no writing_problem().
std::string size_problem(const std::string& path, PictureSize size, const WriteOptions& options = {});

/// "" when pictures written under this name can be converted into this ICC profile and embed it; otherwise
/// why not, and what to do, without the path. `path` must have no writing_problem().
std::string profile_problem(const std::string& path, const std::vector<unsigned char>& profile);

/// What of a source's metadata has no place in the format that the ending says; "" when all has.
std::string metadata_left_out(const std::string& path);

/// "" when a file may be made under this path as far as can be seen without touching anything: no folder of
/// that name, the nearest folder that is there takes files, no name is too long, and it is no address or '~'.
/// Otherwise what is wrong and what to try, without the path.
std::string place_problem(const std::string& path);

/// Before a run: makes the missing folders, and throws RunError when the picture could not be written there:
/// an unknown ending, a folder of that name, a file where a folder should be, a folder that takes no new
/// files. Leaves no file behind and an existing picture untouched.
void check_writable(const std::string& path, const WriteOptions& options = {});

/// Writes beside and renames, so `path` is at every moment the old file or the whole new one. Values are
/// clamped to [0, 1] (NaN: 0) and rounded to the nearest step; EXR is written as linear light. Makes missing
/// folders. Throws RunError and leaves nothing behind when it fails.
void write_picture(const std::string& path, std::span<const float> rgb, PictureSize size,
                   const WriteOptions& options = {});
void write_picture(const std::string& path, const Picture& picture, const WriteOptions& options = {});

/// The endings that can be written, for messages and docs: ".png", ".jpg", ...
std::vector<std::string> writable_endings();

}  // namespace gramflow
