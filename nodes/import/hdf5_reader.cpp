#include "nodes/import/hdf5_reader.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <cstring>

#include "framework/base/error.h"
#include "framework/base/printable.h"

namespace gramflow {
namespace {

constexpr hsize_t most_links = 20'000;
constexpr std::size_t most_datasets = 4000;
constexpr int deepest = 8;
constexpr std::uint64_t most_elements = 1ULL << 28;
constexpr std::size_t longest_attribute = 8U << 20;

/// Closes what it holds.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw RunError(path + ": " + what);
}

Handle open_file(const std::string& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // the library would print its own story
  H5PLset_loading_state(0);                     // a file must not make it load code
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose};
}

std::string type_name(hid_t dataset) {
  const Handle type(H5Dget_type(dataset), H5Tclose);
  const std::size_t bits = H5Tget_size(type) * 8;
  const char* letter = H5Tget_class(type) == H5T_FLOAT     ? "F"
                       : H5Tget_class(type) == H5T_INTEGER ? "I"
                                                           : "other ";
  return letter + std::to_string(bits);
}

/// False when it has more dimensions than anything here.
bool shape_of(hid_t dataset, std::vector<std::int64_t>& shape) {
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > 8) return false;
  std::vector<hsize_t> sides(static_cast<std::size_t>(rank) + 1);
  if (H5Sget_simple_extent_dims(space, sides.data(), nullptr) < 0) return false;
  for (int i = 0; i < rank; ++i)
    shape.push_back(static_cast<std::int64_t>(sides[static_cast<std::size_t>(i)]));
  return true;
}

/// The text of a scalar attribute, however Keras's versions wrote it; "" for anything else.
std::string text_attribute(hid_t object, const char* name) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  if (attribute < 0) return "";
  const Handle type(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) return "";
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute, type, &text) < 0 || text == nullptr) return "";
    const std::string result(text, ::strnlen(text, longest_attribute));
    H5free_memory(text);
    return result;
  }
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > longest_attribute) return "";
  std::string result(size + 1, '\0');
  if (H5Aread(attribute, type, result.data()) < 0) return "";
  result.resize(::strnlen(result.c_str(), size));
  return result;
}

void read_attributes(hid_t object, std::map<std::string, std::string>& attributes) {
  for (const char* name : {"keras_version", "backend", "model_config"})
    if (H5Aexists(object, name) > 0) attributes[name] = text_attribute(object, name);
  for (const char* name : {"layer_names", "nb_layers", "training_config"})
    if (H5Aexists(object, name) > 0) attributes[name] = "";
}

class Lister {
 public:
  explicit Lister(const std::string& path) : path_(path) {}

  Hdf5Contents run(hid_t file) {
    visit(file, "", 0);
    Hdf5Contents contents{std::move(found_), {}};
    read_attributes(file, contents.attributes);
    if (H5Lexists(file, "model_weights", H5P_DEFAULT) > 0) {
      const Handle group(H5Gopen2(file, "model_weights", H5P_DEFAULT), H5Gclose);
      if (group >= 0) read_attributes(group, contents.attributes);
    }
    return contents;
  }

 private:
  void visit(hid_t group, const std::string& prefix, int depth) {
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0)
      fail(path_, "is damaged: group '" + printable(prefix) + "' cannot be read");
    links_ += info.nlinks;
    if (links_ > most_links || info.nlinks > most_links) fail(path_, "holds more than any weights file");
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      char name[256];
      const ::ssize_t length =
          H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
      if (length < 0)
        fail(path_, "is damaged: the names in group '" + printable(prefix) + "' cannot be read");
      if (length >= static_cast<::ssize_t>(sizeof name)) continue;
      visit_link(group, name, prefix, depth);
    }
  }

  void visit_link(hid_t group, const char* name, const std::string& prefix, int depth) {
    const std::string full = prefix.empty() ? name : prefix + "/" + name;
    H5L_info_t link;
    if (H5Lget_info(group, name, &link, H5P_DEFAULT) < 0)
      fail(path_, "is damaged: '" + printable(full) + "' cannot be read");
    if (link.type == H5L_TYPE_EXTERNAL)
      fail(path_, "'" + printable(full) + "' is a link to another file, which is not followed");
    if (link.type != H5L_TYPE_HARD) return;  // another name for something that is listed anyway
    const Handle object(H5Oopen(group, name, H5P_DEFAULT), H5Oclose);
    if (object < 0) fail(path_, "is damaged: '" + printable(full) + "' cannot be opened");
    if (H5Iget_type(object) == H5I_GROUP && depth < deepest) visit(object, full, depth + 1);
    if (H5Iget_type(object) != H5I_DATASET) return;
    if (found_.size() >= most_datasets) fail(path_, "holds more than any weights file");
    SourceTensor tensor{full, type_name(object), {}};
    if (shape_of(object, tensor.shape)) found_.push_back(std::move(tensor));
  }

  const std::string& path_;
  std::vector<SourceTensor> found_;
  hsize_t links_ = 0;
};

/// Numbers that are really in this file, behind filters that every library has.
void check_storage(const std::string& path, const std::string& name, hid_t dataset, std::uint64_t elements) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL || (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation) > 0))
    fail(path, name + " keeps its numbers in another file, which is not read");
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0;
    std::size_t parameters = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &parameters, nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
      fail(
          path,
          fmt::format(
              "{} is packed with {}, which this library cannot unpack; in Python:\n"
              "  import h5py; a = h5py.File('{}'); b = h5py.File('unpacked.h5', 'w'); "
              "b.attrs.update(a.attrs)\n"
              "  a.visititems(lambda n, o: b.create_dataset(n, data=o[()]) if hasattr(o, 'dtype') else None)",
              name,
              filter == 32000             ? std::string("lzf")
              : filter == 32001           ? std::string("blosc")
              : filter == 32004           ? std::string("lz4")
              : filter == 32015           ? std::string("zstd")
              : filter == H5Z_FILTER_SZIP ? std::string("szip")
                                          : fmt::format("the unusual filter {}", static_cast<int>(filter)),
              printable(path)));
  }
  const Handle type(H5Dget_type(dataset), H5Tclose);
  if (layout == H5D_CONTIGUOUS && H5Dget_storage_size(dataset) < elements * H5Tget_size(type))
    fail(path, name + " has more numbers than the file holds");
}

}  // namespace

struct Hdf5File::Open {
  Handle file;
};

Hdf5File::Hdf5File(const std::string& path, std::string shown)
    : shown_(std::move(shown)), open_(new Open{open_file(path)}) {
  if (open_->file < 0) fail(shown_, "is damaged: the HDF5 library cannot open it");
}

Hdf5File::~Hdf5File() = default;

Hdf5Contents Hdf5File::list() const { return Lister(shown_).run(open_->file); }

std::vector<float> Hdf5File::read(const SourceTensor& wanted) const {
  const std::string name = "dataset '" + printable(wanted.name) + "'";
  const Handle dataset(H5Dopen2(open_->file, wanted.name.c_str(), H5P_DEFAULT), H5Dclose);
  std::vector<std::int64_t> shape;
  if (dataset < 0 || !shape_of(dataset, shape) || shape != wanted.shape)
    fail(shown_, name + " cannot be opened");
  if (!wanted.type.starts_with("F")) fail(shown_, name + " holds no real numbers");
  std::uint64_t elements = 1;
  for (const std::int64_t side : shape) {
    if (side < 0 || (side != 0 && elements > most_elements / static_cast<std::uint64_t>(side)))
      fail(shown_, name + " is larger than any of a VGG's");
    elements *= static_cast<std::uint64_t>(side);
  }
  check_storage(shown_, name, dataset, elements);
  std::vector<float> values(elements);
  if (elements > 0 && H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    fail(shown_, name + " is damaged: its numbers cannot be read");
  return values;
}

}  // namespace gramflow
