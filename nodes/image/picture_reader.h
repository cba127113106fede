#pragma once
// Reads picture files by way of a child program, gramflow-decoder, that is started with the first picture and
// serves all that follow. A picture that ends it (a crash, too much time or memory) is an error about that
// picture; the next one starts it anew.
#include <memory>
#include <mutex>
#include <string>

#include "nodes/image/picture_io.h"

namespace gramflow {

class ChildProgram;

/// Any thread may ask; they are served one after the other. Errors as said in picture_io.h.
class PictureReader {
 public:
  PictureReader();
  ~PictureReader();
  PictureReader(const PictureReader&) = delete;
  PictureReader& operator=(const PictureReader&) = delete;

  /// As read_picture_info().
  PictureInfo info(const std::string& path);
  /// As read_picture(): the picture must be of the `expected` size.
  void read(const std::string& path, std::span<float> rgb, PictureSize expected);
  Picture read(const std::string& path);
  /// Reads every pixel and throws them away: throws what read() would. Pictures that take much memory or time
  /// (over 160 MiB, over 200 million pixels) are left at their headers.
  void try_out(const std::string& path);

 private:
  class Visit;
  std::mutex mutex_;
  std::unique_ptr<ChildProgram> child_;
};

}  // namespace gramflow
