#include "tests/weights/make_hdf5.h"

#include <doctest/doctest.h>
#include <hdf5.h>

namespace gramflow::test {
namespace {

std::vector<hsize_t> sides(const std::vector<std::int64_t>& shape) { return {shape.begin(), shape.end()}; }

class File {
 public:
  explicit File(const std::string& path, std::int64_t user_block = 0) {
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(creation, static_cast<hsize_t>(user_block));
    id_ = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
    H5Pclose(creation);
    REQUIRE(id_ >= 0);
    links_ = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links_, 1);
  }
  ~File() {
    H5Pclose(links_);
    H5Fclose(id_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  hid_t id() const { return id_; }
  hid_t links() const { return links_; }

  /// `creation` is closed.
  void add(const std::string& path, const std::vector<std::int64_t>& shape, hid_t type, hid_t creation,
           const float* values) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), sides(shape).data(), nullptr);
    const hid_t dataset = H5Dcreate2(id_, path.c_str(), type, space, links_, creation, H5P_DEFAULT);
    REQUIRE(dataset >= 0);
    if (values != nullptr)
      REQUIRE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(creation);
  }

 private:
  hid_t id_ = -1;
  hid_t links_ = -1;
};

/// 16 bits of the usual kind, which HDF5 knows no name for.
hid_t half_type() {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

}  // namespace

void put_keras(const std::string& file, const std::vector<KerasDataset>& datasets,
               const std::map<std::string, std::string>& attributes, std::int64_t user_block) {
  File made(file, user_block);
  for (const auto& [name, text] : attributes) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, text.size() + 1);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(made.id(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    REQUIRE(H5Awrite(attribute, type, text.c_str()) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
  }
  for (const KerasDataset& dataset : datasets)
    made.add(dataset.path, dataset.shape, H5T_IEEE_F32LE, H5Pcreate(H5P_DATASET_CREATE),
             dataset.values.data());
}

void put_keras_packed(const std::string& file, const std::vector<KerasDataset>& datasets) {
  File made(file);
  const hid_t half = half_type();
  for (const KerasDataset& dataset : datasets) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, static_cast<int>(dataset.shape.size()), sides(dataset.shape).data());
    H5Pset_deflate(creation, 6);
    made.add(dataset.path, dataset.shape, half, creation, dataset.values.data());
  }
  H5Tclose(half);
}

void put_keras_absurd(const std::string& file, const std::string& path,
                      const std::vector<std::int64_t>& shape) {
  File made(file);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(creation, H5D_ALLOC_TIME_LATE);
  made.add(path, shape, H5T_IEEE_F32LE, creation, nullptr);
}

void put_keras_external(const std::string& file, const std::string& path, std::int64_t count,
                        const std::string& other) {
  File made(file);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, other.c_str(), 0, static_cast<hsize_t>(count) * 4);
  made.add(path, {count}, H5T_IEEE_F32LE, creation, nullptr);
}

void put_keras_link(const std::string& file, const std::string& path, const std::string& other) {
  File made(file);
  REQUIRE(H5Lcreate_external(other.c_str(), "/", made.id(), path.c_str(), made.links(), H5P_DEFAULT) >= 0);
}

void put_keras_loop(const std::string& file) {
  File made(file);
  const hid_t group = H5Gcreate2(made.id(), "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Lcreate_hard(made.id(), "a", group, "again", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  REQUIRE(H5Lcreate_hard(made.id(), "a", group, "and again", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  H5Gclose(group);
}

}  // namespace gramflow::test
