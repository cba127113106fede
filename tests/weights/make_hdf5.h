#pragma once
// Keras files, made with the HDF5 library: right ones, and ones that want something.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gramflow::test {

struct KerasDataset {
  std::string path;  ///< "block1_conv1/block1_conv1/kernel:0"; missing groups are made
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// `attributes` are texts at the file itself; `user_block` bytes lie in front (0, 512, 1024, ...).
void put_keras(const std::string& file, const std::vector<KerasDataset>& datasets,
               const std::map<std::string, std::string>& attributes = {}, std::int64_t user_block = 0);
/// In half precision, chunked and packed with deflate.
void put_keras_packed(const std::string& file, const std::vector<KerasDataset>& datasets);

/// A dataset that claims this shape and stores nothing.
void put_keras_absurd(const std::string& file, const std::string& path,
                      const std::vector<std::int64_t>& shape);
/// A dataset whose numbers are in another file.
void put_keras_external(const std::string& file, const std::string& path, std::int64_t count,
                        const std::string& other);
/// A link into another HDF5 file.
void put_keras_link(const std::string& file, const std::string& path, const std::string& other);
/// A group that contains itself.
void put_keras_loop(const std::string& file);

}  // namespace gramflow::test
