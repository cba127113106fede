gramflow_library(gramflow_image_nodes
  SOURCES load_node.cpp noise_node.cpp picture_parameters.cpp process_nodes.cpp resize_node.cpp retouch_nodes.cpp rotate_node.cpp save_node.cpp size_parameter.cpp
  LIBRARIES gramflow_pictures gramflow_feature_nodes gramflow_graph gramflow_ops gramflow_schema fmt::fmt)
