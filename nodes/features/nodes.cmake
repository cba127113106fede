gramflow_library(gramflow_feature_nodes
  SOURCES gram_node.cpp input_space.cpp named_network.cpp network_library.cpp vgg_extract_node.cpp
  LIBRARIES gramflow_features gramflow_graph gramflow_ops gramflow_schema fmt::fmt)
