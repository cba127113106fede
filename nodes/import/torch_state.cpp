// A state dict is an OrderedDict whose values are calls of torch._utils._rebuild_tensor_v2(storage, offset,
// size, stride, ...). A storage is a persistent id ('storage', type, key, device, elements). Training scripts
// wrap state dicts into other dicts; their keys become prefixes.
#include "nodes/import/torch_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "framework/base/printable.h"

namespace gramflow {
namespace {

struct StorageType {
  const char* name;
  const char* type;
  std::uint64_t bytes;
};
constexpr std::array<StorageType, 12> storage_types = {{{"FloatStorage", "F32", 4},
                                                        {"HalfStorage", "F16", 2},
                                                        {"BFloat16Storage", "BF16", 2},
                                                        {"DoubleStorage", "F64", 8},
                                                        {"LongStorage", "I64", 8},
                                                        {"IntStorage", "I32", 4},
                                                        {"ShortStorage", "I16", 2},
                                                        {"CharStorage", "I8", 1},
                                                        {"ByteStorage", "U8", 1},
                                                        {"BoolStorage", "BOOL", 1},
                                                        {"ComplexFloatStorage", "C64", 8},
                                                        {"ComplexDoubleStorage", "C128", 16}}};

const StorageType* storage_type(std::string_view global) {
  for (const StorageType& type : storage_types)
    for (const char* module : {"torch ", "torch.cuda "})
      if (global == std::string(module) + type.name) return &type;
  return nullptr;
}

/// What torch.load(weights_only=True) allows, and what training scripts put beside their tensors: settings,
/// counts, single numbers. Nothing of it is made here; it is only no reason to refuse the file.
constexpr std::array<std::string_view, 20> harmless_modules = {
    // module and name
    "collections OrderedDict",
    "collections Counter",
    "collections defaultdict",
    "collections deque",
    "argparse Namespace",
    "types SimpleNamespace",
    "torch Size",
    "torch device",
    "torch Tensor",
    "torch.nn.parameter Parameter",
    "torch.serialization _get_layout",
    "_codecs encode",
    "copyreg _reconstructor",
    "copy_reg _reconstructor",
    "numpy dtype",
    "numpy ndarray",
    "datetime datetime",
    "datetime timedelta",
    "datetime date",
    "decimal Decimal"};
constexpr std::array<std::string_view, 14> harmless_builtins = {
    "set",  "frozenset", "list",  "dict",   "tuple",   "int",   "float",
    "bool", "str",       "bytes", "object", "complex", "slice", "bytearray"};
constexpr std::array<std::string_view, 5> tensor_makers = {
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_parameter_with_state",
    "_rebuild_from_type_v2"};
constexpr std::array<std::string_view, 20> dtypes = {"float32",
                                                     "float64",
                                                     "float16",
                                                     "bfloat16",
                                                     "int64",
                                                     "int32",
                                                     "int16",
                                                     "int8",
                                                     "uint8",
                                                     "bool",
                                                     "float",
                                                     "double",
                                                     "half",
                                                     "long",
                                                     "complex64",
                                                     "complex128",
                                                     "contiguous_format",
                                                     "strided",
                                                     "int",
                                                     "short"};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_harmless(const std::string& global) {
  if (is_one_of(global, harmless_modules) || storage_type(global) != nullptr) return true;
  const std::size_t space = global.find(' ');
  const std::string_view module = std::string_view(global).substr(0, space);
  const std::string_view name = std::string_view(global).substr(space + 1);
  if (module == "builtins" || module == "__builtin__") return is_one_of(name, harmless_builtins);
  if (module == "torch._utils" || module == "torch._tensor") return is_one_of(name, tensor_makers);
  if (module == "torch") return is_one_of(name, dtypes);
  if (module == "pathlib")
    return name == "PosixPath" || name == "WindowsPath" || name == "PurePosixPath" || name == "Path";
  if (module == "numpy.core.multiarray" || module == "numpy._core.multiarray")
    return name == "scalar" || name == "_reconstruct";
  if (module == "numpy" || module == "numpy.dtypes") return name.ends_with("DType") || name == "bool_";
  return false;
}

bool is_model(const std::string& global) {
  return global.starts_with("torch.nn.") || global.starts_with("torchvision.") || global.starts_with("timm.");
}

class StateReader {
 public:
  TorchState run(const PickleValue& root) {
    collect(root, "", 0);
    if (state_.tensors.empty()) throw PickleError("holds no tensors; expected a state dict");
    return std::move(state_);
  }

 private:
  using Kind = PickleValue::Kind;
  static constexpr std::size_t most_tensors = 20'000;
  static constexpr std::size_t most_values = 2'000'000;
  static constexpr int deepest = 40;

  static bool is_map(const PickleValue& value) {
    return value.kind == Kind::map || value.is_call("collections OrderedDict") ||
           value.is_call("collections defaultdict");
  }
  static bool is_tensor(const PickleValue& value) {
    return value.is_call("torch._utils _rebuild_tensor") || value.is_call("torch._utils _rebuild_tensor_v2");
  }

  void collect(const PickleValue& value, const std::string& name, int depth) {
    if (++visited_ > most_values) throw PickleError("holds more than any state dict");
    if (depth > deepest)
      return;  // settings of settings; a tensor so deep has no name that anybody would write
    if ((value.is_call("torch._utils _rebuild_parameter") ||
         value.is_call("torch._utils _rebuild_parameter_with_state")) &&
        value.items.size() > 1)
      return collect(*value.items[1], name, depth + 1);
    if (value.is_call("torch._tensor _rebuild_from_type_v2") && value.items.size() > 3) {
      // (function, type, arguments, state): a tensor of a class of its own.
      PickleValue& inner = made_.emplace_back();
      inner.kind = Kind::call;
      inner.items = {value.items[1]};
      inner.items.insert(inner.items.end(), value.items[3]->items.begin(), value.items[3]->items.end());
      if (inner.items[0]->kind == Kind::global) return collect(inner, name, depth + 1);
      return;
    }
    if (is_tensor(value)) return add_tensor(value, name);
    if (!is_map(value)) return;
    const auto add = [&](const PickleValue& key, const PickleValue& item) {
      if (key.kind == Kind::text)
        collect(item, name.empty() ? std::string(key.text) : name + "." + std::string(key.text), depth + 1);
    };
    for (const auto& [key, item] : value.entries) add(*key, *item);
    // Python 2 gives the pairs as the constructor's argument.
    if (value.is_call("collections OrderedDict") && value.items.size() == 2)
      for (const PickleValue* pair : value.items[1]->items)
        if (pair->kind == Kind::list && pair->items.size() == 2) add(*pair->items[0], *pair->items[1]);
  }

  [[noreturn]] static void fail(const std::string& name, const std::string& what) {
    throw PickleError("tensor '" + printable(name) + "' " + what);
  }

  static std::uint64_t whole(const PickleValue& value, const std::string& name, const char* what) {
    if (value.kind != Kind::integer || value.huge || value.integer < 0)
      fail(name, fmt::format("has a {} that is no whole number from 0 on", what));
    return static_cast<std::uint64_t>(value.integer);
  }

  static std::vector<std::int64_t> sizes(const PickleValue& value, const std::string& name,
                                         const char* what) {
    // torch.Size(...) is a call with the tuple as its argument.
    const PickleValue& list =
        value.is_call("torch Size") && value.items.size() == 2 ? *value.items[1] : value;
    if (list.kind != Kind::list || list.items.size() > 8) fail(name, fmt::format("has no proper {}", what));
    std::vector<std::int64_t> result;
    for (const PickleValue* item : list.items)
      result.push_back(static_cast<std::int64_t>(whole(*item, name, what)));
    return result;
  }

  void add_tensor(const PickleValue& call, const std::string& name) {
    if (call.items.size() < 5) fail(name, "is damaged: its storage, offset, size or stride is missing");
    TorchTensor tensor;
    tensor.name = name;
    std::uint64_t view_offset = 0;
    tensor.storage = add_storage(*call.items[1], name, view_offset);
    tensor.offset = whole(*call.items[2], name, "storage offset");
    tensor.shape = sizes(*call.items[3], name, "shape");
    tensor.strides = sizes(*call.items[4], name, "stride");
    if (tensor.shape.size() != tensor.strides.size())
      fail(name, "has a stride that does not match its shape");
    const std::uint64_t limit = state_.storages.at(tensor.storage).elements;
    const auto outside = [&] {
      fail(name, "reaches beyond the end of its storage; the file is damaged or hostile");
    };
    if (view_offset > limit || tensor.offset > limit - view_offset) outside();
    tensor.offset += view_offset;
    tensor.reach = 1;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (tensor.shape[i] == 0) {
        tensor.reach = 0;
        break;
      }
      const auto steps = static_cast<std::uint64_t>(tensor.shape[i] - 1);
      const auto stride = static_cast<std::uint64_t>(tensor.strides[i]);
      if (stride != 0 && steps > limit / stride) outside();
      tensor.reach += steps * stride;
      if (tensor.reach > limit) outside();
    }
    if (tensor.reach > limit - tensor.offset) outside();
    if (!names_.insert(name).second) fail(name, "is there twice");
    if (state_.tensors.size() >= most_tensors) throw PickleError("holds more than any state dict");
    state_.tensors.push_back(std::move(tensor));
  }

  std::string add_storage(const PickleValue& value, const std::string& name, std::uint64_t& view_offset) {
    const auto damaged = [&] { fail(name, "has no proper storage"); };
    if (value.kind != Kind::persistent) damaged();
    const PickleValue& id = *value.items[0];
    if (id.kind != Kind::list || id.items.size() < 5 || id.items[0]->text != "storage") damaged();
    const StorageType* type = storage_type(id.items[1]->text);
    if (id.items[1]->kind != Kind::global || type == nullptr || id.items[2]->kind != Kind::text) damaged();
    const TorchStorage storage{type->type, type->bytes, whole(*id.items[4], name, "storage size")};
    const std::string key(id.items[2]->text);
    const auto [known, added] = state_.storages.emplace(key, storage);
    if (!added && (known->second.type != storage.type || known->second.elements != storage.elements))
      fail(name, "shares a storage that another tensor describes differently");
    // The legacy format may say that this is a view into the storage: (key, offset, size).
    if (id.items.size() > 5 && id.items[5]->kind == Kind::list && id.items[5]->items.size() == 3)
      view_offset = whole(*id.items[5]->items[1], name, "view offset");
    return key;
  }

  TorchState state_;
  std::set<std::string> names_;
  std::deque<PickleValue> made_;
  std::size_t visited_ = 0;
};

}  // namespace

void check_globals(const Pickle& pickle) {
  const std::string* strange = nullptr;
  for (const std::string& name : pickle.globals()) {
    if (is_harmless(name)) continue;
    if (strange == nullptr || is_model(name)) strange = &name;
    if (is_model(name)) break;
  }
  if (strange == nullptr) return;
  std::string dotted = printable(*strange);
  std::replace(dotted.begin(), dotted.end(), ' ', '.');
  if (is_model(*strange))
    throw PickleError("holds a whole Python object (" + dotted +
                      "), not a state dict; where its program is installed, in Python:\n  import torch; "
                      "torch.save(torch.load('FILE', 'cpu').state_dict(), 'weights.pth')");
  throw PickleError(
      "asks Python to run '" + dotted +
      "', which is none of the harmless ones that state dicts need; it may be hostile and is not read\n  "
      "if you trust the file, in Python: import torch; d = torch.load('FILE', 'cpu'); "
      "torch.save(d.get('state_dict', d), 'weights.pth')");
}

TorchState read_torch_state(const Pickle& pickle) {
  check_globals(pickle);
  return StateReader().run(pickle.root());
}

}  // namespace gramflow
