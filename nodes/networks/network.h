#pragma once
// A network as data: layers, input convention and where its weights are. Read from
// configs/networks/NAME.yaml.
//
//   name: vgg19
//   summary: VGG-19 without its classifier (Simonyan and Zisserman, 2014)
//   input: {order: rgb, scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
//   padding: zero            # zero | reflect | replicate: what lies outside of a convolution's input
//   weights: {file: vgg19.safetensors}     # more keys in docs/networks.md
//   layers:
//     - {conv: conv1_1, in: 3, out: 64}          # kernel 3, padding 1 unless given; followed by relu1_1
//     - {pool: pool1, kind: max}                 # 2x2, stride 2, floor
// A conv named convK_M is followed by the ReLU reluK_M (any other NAME by NAME_relu) unless `relu: false`.
// Layer names that can be tapped: every conv, relu and pool.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/diagnostics.h"
#include "framework/ops/filter_source.h"
#include "framework/ops/pool.h"
#include "nodes/networks/convention.h"
#include "nodes/weights/kernel_layout.h"

namespace gramflow {

/// What a network is given, and what its weights were trained with.
struct ConventionChange {
  InputConvention network;
  InputConvention weights;
};

struct NetworkLayer {
  enum class Kind { convolution, relu, pool };
  Kind kind = Kind::convolution;
  std::string name;
  // Convolutions:
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 3;
  int padding = 1;
  std::string weight_tensor;  ///< name in the weights file; "conv1_1.weight" unless the YAML says otherwise
  std::string bias_tensor;
  bool weight_given = false;  ///< the YAML says `weight:`, so no other tensor is meant
  bool bias_given = false;
  bool no_bias = false;  ///< `bias: none`; a file made by import has one all the same, which counts
  /// `norm:`: what the tensors of the batch norm between convolution and ReLU begin with, in files that are
  /// imported. Folded there; a run never sees it.
  std::string norm;
  bool no_norm = false;           ///< `norm: none`
  std::optional<double> epsilon;  ///< the norm's, when the file cannot say it
  double gain = 1;         ///< its outputs are made this many times as large, later layers stay as they are
  double gain_before = 1;  ///< that of the convolution before it
  /// Of the first one, when weights were made for another input.
  std::optional<ConventionChange> input_change;
  // Pools:
  PoolKind pool = PoolKind::max;
};

/// Where weights can be had, and how to tell that they arrived whole. Empty checksums are unknown.
struct NetworkDownload {
  std::string url;
  std::string md5;
  std::string sha256_prefix;  ///< its first digits; all lower case
};

struct Network {
  std::string name;
  std::string summary;
  std::string file;  ///< the YAML it came from
  InputConvention input;
  Border border = Border::zero;
  std::string weights_file;  ///< as the YAML says; locate_weights() finds it
  std::string weights_of;    ///< the network the weights were made for; `name` unless the YAML says otherwise
  /// What the weights were trained with, when it is not `input`; loading makes up for it.
  std::optional<InputConvention> weights_input;
  const InputConvention& trained_input() const { return weights_input ? *weights_input : input; }
  std::vector<NetworkDownload> downloads;
  std::optional<KernelLayout> layout;  ///< of the kernels in a file to import, when it does not say itself
  std::vector<std::string> ignored_names;  ///< beginnings of names that import need not understand
  std::vector<NetworkLayer> layers;        ///< a straight chain from the input

  /// Index of a layer by name, -1 when there is none.
  int find(std::string_view layer) const;
  std::vector<std::string> layer_names() const;
};

/// Where networks and weights are looked for, in this order; the program makes one at its start.
struct NetworkPaths {
  std::vector<std::string> network_folders;  ///< for NAME.yaml
  std::vector<std::string> weight_folders;   ///< for weights files, after the folder of the network's YAML
  std::string cache_folder;                  ///< where downloaded weights go; "" without a home
  /// $GRAMFLOW_PATH entries, the source tree's or installed configs/networks found from the executable, for
  /// weights then shared/weights beside the source tree (big files that several checkouts share), and
  /// $XDG_CACHE_HOME/gramflow
  /// (~/.cache/gramflow).
  static NetworkPaths standard();
};

/// Every name that load_network() finds without a path, sorted.
std::vector<std::string> shipped_networks(const NetworkPaths& paths);

/// Whether `name` is a path and not the name of a shipped network.
bool is_network_path(std::string_view name);

/// `name` is a shipped name ("vgg19-mini") or a path ending in .yaml (relative to `directory`). nullptr after
/// reporting at `where`: an unknown name with a suggestion, or every mistake in the file at its own place.
std::shared_ptr<const Network> load_network(const std::string& name, const std::string& directory,
                                            const NetworkPaths& paths, Span where, Diagnostics& diagnostics);

}  // namespace gramflow
