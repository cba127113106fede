#include "tests/weights/make_other.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <matio.h>

#include <map>

#include "tests/weights/make_torch.h"

namespace gramflow::test {
namespace {

std::vector<float> column_major(const MadeTensor& tensor) {
  std::vector<float> result(tensor.values.size());
  std::vector<std::int64_t> index(tensor.shape.size(), 0);
  for (const float value : tensor.values) {
    std::int64_t at = 0;
    for (std::size_t side = tensor.shape.size(); side-- > 0;) at = at * tensor.shape[side] + index[side];
    result[static_cast<std::size_t>(at)] = value;
    for (std::size_t side = tensor.shape.size(); side-- > 0;) {
      if (++index[side] < tensor.shape[side]) break;
      index[side] = 0;
    }
  }
  return result;
}

// --- the wire format ---------------------------------------------------------------------------------------
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80U));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}
std::string number(int field, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(value);
}
std::string piece(int field, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(bytes.size()) + bytes;
}

std::string blob(const MadeTensor& tensor, bool old) {
  std::string bytes;
  if (old) {
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t missing = 4 - tensor.shape.size();
      bytes += number(static_cast<int>(i) + 1,
                      i < missing ? 1 : static_cast<std::uint64_t>(tensor.shape[i - missing]));
    }
  } else {
    std::string sides;
    for (const std::int64_t side : tensor.shape) sides += varint(static_cast<std::uint64_t>(side));
    bytes += piece(7, piece(1, sides));
  }
  return bytes + piece(5, bytes_of(tensor.values));
}

std::string text(const std::string& value) { return "X" + little(value.size(), 4) + value; }

}  // namespace

std::string npy_bytes(const MadeTensor& tensor, bool first_fastest) {
  std::string shape;
  for (const std::int64_t side : tensor.shape) shape += std::to_string(side) + ", ";
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': {}, 'shape': ({}), }}",
                                   first_fastest ? "True" : "False", shape);
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  return "\x93NUMPY" + std::string("\1\0", 2) + little(header.size(), 2) + header +
         bytes_of(first_fastest ? column_major(tensor) : tensor.values);
}

std::string npz_bytes(const std::vector<MadeTensor>& tensors) {
  NamedBytes records;
  for (const MadeTensor& tensor : tensors) records.emplace_back(tensor.name + ".npy", npy_bytes(tensor));
  return zip_bytes(records);
}

std::string npy_dictionary(const std::vector<MadeTensor>& tensors) {
  const auto array = [](const MadeTensor& tensor) {
    std::string sides = "(";
    for (const std::int64_t side : tensor.shape) sides += "J" + little(static_cast<std::uint64_t>(side), 4);
    const std::string type = "cnumpy\ndtype\n" + text("f4") + "\x89\x88\x87R(K\3" + text("<") +
                             "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK" + std::string(1, '\0') + "tb";
    const std::string data = bytes_of(tensor.values);
    return "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK" + std::string(1, '\0') + "\x85" +
           "C\1b\x87R(K\1" + sides + "t" + type + "\x89" + "B" + little(data.size(), 4) + data + "tb";
  };
  std::map<std::string, std::string> lists;
  for (const MadeTensor& tensor : tensors)
    lists[tensor.name.substr(0, tensor.name.rfind('.'))] += array(tensor);
  std::string dictionary = "}(";
  for (const auto& [name, arrays] : lists) dictionary += text(name) + "](" + arrays + "e";
  // The array of objects around it, of no dimensions.
  const std::string pickle =
      "\x80\x03"
      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK" +
      std::string(1, '\0') + "\x85" + "C\1b\x87R(K\1)cnumpy\ndtype\n" + text("O8") + "\x89\x88\x87R\x89](" +
      dictionary + "ue" + "tb.";
  std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }";
  header.resize(117, ' ');
  header += '\n';
  return "\x93NUMPY" + std::string("\1\0", 2) + little(header.size(), 2) + header + pickle;
}

std::string caffe_bytes(const std::vector<MadeLayer>& layers, bool old) {
  std::string net = piece(1, "VGG");
  std::string top = "data";
  for (const MadeLayer& layer : layers) {
    const bool in_place = layer.kind != "Convolution" && layer.kind != "Pooling";
    const std::string gives = in_place ? top : layer.name;
    std::string message;
    if (old) {
      const std::uint64_t kind = layer.kind == "Convolution" ? 4 : layer.kind == "ReLU" ? 18 : 17;
      message = piece(2, top) + piece(3, gives) + piece(4, layer.name) + number(5, kind);
    } else {
      message = piece(1, layer.name) + piece(2, layer.kind) + piece(3, top) + piece(4, gives);
    }
    for (const MadeTensor& tensor : layer.blobs) message += piece(old ? 6 : 7, blob(tensor, old));
    if (layer.kind == "Convolution") {
      std::string settings = number(3, static_cast<std::uint64_t>(layer.padding)) + number(4, 3);
      if (layer.stride != 1) settings += number(6, static_cast<std::uint64_t>(layer.stride));
      if (layer.blobs.size() < 2) settings += number(2, 0);
      message += piece(old ? 10 : 106, settings);
    }
    if (layer.kind == "Pooling") message += piece(old ? 19 : 121, number(2, 2) + number(3, 2));
    net += piece(old ? 2 : 100, message);
    top = gives;
  }
  return net;
}

std::string onnx_bytes(const std::vector<MadeLayer>& layers) {
  std::string graph;
  std::string top = "input";
  int count = 0;
  for (const MadeLayer& layer : layers) {
    static const std::map<std::string, std::string> kinds = {{"Convolution", "Conv"},
                                                             {"ReLU", "Relu"},
                                                             {"Pooling", "MaxPool"},
                                                             {"BatchNorm", "BatchNormalization"},
                                                             {"PReLU", "PRelu"}};
    std::string node = piece(1, top);
    for (const MadeTensor& tensor : layer.blobs) {
      node += piece(1, tensor.name);
      std::string sides;
      for (const std::int64_t side : tensor.shape) sides += varint(static_cast<std::uint64_t>(side));
      graph += piece(
          5, piece(1, sides) + number(2, 1) + piece(8, tensor.name) + piece(9, bytes_of(tensor.values)));
    }
    top = "t" + std::to_string(++count);
    node += piece(2, top) + piece(3, layer.name) + piece(4, kinds.at(layer.kind));
    if (layer.kind == "Convolution") {
      std::string pads;
      for (int i = 0; i < 4; ++i) pads += varint(static_cast<std::uint64_t>(layer.padding));
      const std::string stride = varint(static_cast<std::uint64_t>(layer.stride));
      node += piece(5, piece(1, "pads") + piece(8, pads)) +
              piece(5, piece(1, "strides") + piece(8, stride + stride));
    }
    if (layer.kind == "Pooling") {
      const std::string twice = varint(2) + varint(2);
      node += piece(5, piece(1, "kernel_shape") + piece(8, twice)) +
              piece(5, piece(1, "strides") + piece(8, twice));
    }
    graph += piece(1, node);
  }
  return number(1, 7) + piece(2, "test") + piece(7, graph) + piece(8, number(2, 13));
}

void put_matlab(const std::string& file, const std::vector<MadeLayer>& layers,
                const std::vector<double>& mean, bool packed) {
  ::mat_t* made = ::Mat_CreateVer(file.c_str(), nullptr, MAT_FT_MAT5);
  REQUIRE(made != nullptr);
  const auto array = [](const MadeTensor& tensor, bool kernel) {
    MadeTensor there = tensor;
    if (kernel) {
      there.shape = {tensor.shape[2], tensor.shape[3], tensor.shape[1], tensor.shape[0]};
      there.values =
          reordered(tensor.values, tensor.shape[0], tensor.shape[1], tensor.shape[2], "hwio", false);
    }
    std::vector<float> numbers = column_major(there);
    std::vector<std::size_t> dims(there.shape.begin(), there.shape.end());
    if (dims.size() == 1) dims.insert(dims.begin(), 1);
    return ::Mat_VarCreate(nullptr, MAT_C_SINGLE, MAT_T_SINGLE, static_cast<int>(dims.size()), dims.data(),
                           numbers.data(), 0);
  };
  const auto word = [](std::string value) {
    std::size_t dims[2] = {1, value.size()};
    return ::Mat_VarCreate(nullptr, MAT_C_CHAR, MAT_T_UINT8, 2, dims, value.data(), 0);
  };
  const auto numbers = [](std::vector<double> values) {
    std::size_t dims[2] = {1, values.size()};
    return ::Mat_VarCreate(nullptr, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, values.data(), 0);
  };
  const auto write = [&](::matvar_t* variable) {
    REQUIRE(::Mat_VarWrite(made, variable, packed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE) == 0);
    ::Mat_VarFree(variable);
  };
  if (!layers.empty() && layers[0].kind.empty()) {
    for (const MadeLayer& layer : layers)
      for (const MadeTensor& tensor : layer.blobs) {
        ::matvar_t* variable = array(tensor, false);
        variable->name = ::strdup(tensor.name.c_str());
        write(variable);
      }
    ::Mat_Close(made);
    return;
  }
  std::size_t count[2] = {1, layers.size()};
  ::matvar_t* cell = ::Mat_VarCreate("layers", MAT_C_CELL, MAT_T_CELL, 2, count, nullptr, 0);
  std::size_t one[2] = {1, 1};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const MadeLayer& layer = layers[i];
    const char* names[] = {"type", "name", "weights", "pad", "stride"};
    ::matvar_t* made_layer = ::Mat_VarCreateStruct(nullptr, 2, one, names, 5);
    const std::string type = layer.kind == "Convolution" ? "conv"
                             : layer.kind == "ReLU"      ? "relu"
                             : layer.kind == "Pooling"   ? "pool"
                                                         : "bnorm";
    ::Mat_VarSetStructFieldByName(made_layer, "type", 0, word(type));
    ::Mat_VarSetStructFieldByName(made_layer, "name", 0, word(layer.name));
    if (!layer.blobs.empty()) {
      std::size_t parts[2] = {1, layer.blobs.size()};
      ::matvar_t* weights = ::Mat_VarCreate(nullptr, MAT_C_CELL, MAT_T_CELL, 2, parts, nullptr, 0);
      for (std::size_t p = 0; p < layer.blobs.size(); ++p)
        ::Mat_VarSetCell(weights, static_cast<int>(p), array(layer.blobs[p], type == "conv" && p == 0));
      ::Mat_VarSetStructFieldByName(made_layer, "weights", 0, weights);
      const double pad = layer.padding;
      ::Mat_VarSetStructFieldByName(made_layer, "pad", 0, numbers({pad, pad, pad, pad}));
      const double stride = layer.stride;
      ::Mat_VarSetStructFieldByName(made_layer, "stride", 0, numbers({stride, stride}));
    }
    ::Mat_VarSetCell(cell, static_cast<int>(i), made_layer);
  }
  write(cell);
  if (!mean.empty()) {
    const char* names[] = {"averageImage"};
    ::matvar_t* normalization = ::Mat_VarCreateStruct("normalization", 2, one, names, 1);
    ::Mat_VarSetStructFieldByName(normalization, "averageImage", 0, numbers(mean));
    write(normalization);
  }
  ::Mat_Close(made);
}

}  // namespace gramflow::test
