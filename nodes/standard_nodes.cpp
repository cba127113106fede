#include "nodes/standard_nodes.h"

#include "nodes/image/image_nodes.h"
#include "nodes/image/picture_reader.h"
#include "nodes/loss/loss_nodes.h"
#include "nodes/networks/network_nodes.h"
#include "nodes/optim/optim_nodes.h"

namespace gramflow {

NodeTypes standard_nodes(std::shared_ptr<NetworkLibrary> library) {
  const auto pictures = std::make_shared<PictureReader>();
  return {
      load_node(pictures),
      save_node(pictures),
      resize_node(),
      grade_node(),
      sharpen_node(),
      rotate_node(),
      match_colors_node(),
      noise_node(),
      mix_node(),
      preprocess_node(library),
      postprocess_node(library),
      vgg_extract_node(library),
      gram_node(),
      content_loss_node(),
      style_loss_node(),
      neighbor_loss_node(),
      tv_loss_node(),
      optimizer_node(),
  };
}

}  // namespace gramflow
