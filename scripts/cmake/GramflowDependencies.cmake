# Everything here is a Debian 12 package; docs/building.md lists them. Each is linked by one library only.
find_package(Threads REQUIRED)
find_package(TBB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)

# oneDNN's own CMake package is fine; OpenImageIO's names targets of packages that its -dev package does not pull in
# (OpenCV, OpenEXR viewers), so the library is found by hand.
find_package(dnnl REQUIRED)
add_library(gramflow::openimageio INTERFACE IMPORTED)
find_path(OPENIMAGEIO_INCLUDE OpenImageIO/imageio.h REQUIRED)
find_library(OPENIMAGEIO_LIBRARY OpenImageIO REQUIRED)
find_library(OPENIMAGEIO_UTIL_LIBRARY OpenImageIO_Util REQUIRED)
target_include_directories(gramflow::openimageio SYSTEM INTERFACE ${OPENIMAGEIO_INCLUDE})
target_link_libraries(gramflow::openimageio INTERFACE ${OPENIMAGEIO_LIBRARY} ${OPENIMAGEIO_UTIL_LIBRARY})

add_library(gramflow::highway INTERFACE IMPORTED)
find_path(HIGHWAY_INCLUDE hwy/highway.h REQUIRED)
find_library(HIGHWAY_LIBRARY hwy REQUIRED)
target_include_directories(gramflow::highway SYSTEM INTERFACE ${HIGHWAY_INCLUDE})
target_link_libraries(gramflow::highway INTERFACE ${HIGHWAY_LIBRARY})

# Eigenvectors of covariance matrices (W2 style loss), in framework/devices/cpu/wasserstein.cpp.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
