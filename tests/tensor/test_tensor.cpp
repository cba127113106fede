#include <doctest/doctest.h>

#include "framework/tensor/tensor.h"

using namespace gramflow;

TEST_CASE("A shape counts its pixels and elements") {
  const Shape shape{300, 450, 64};
  CHECK(shape.pixels() == 135000);
  CHECK(shape.elements() == 8640000);
  CHECK(shape.to_string() == "64 channels, 450x300");
}

TEST_CASE("A description knows its bytes for every element type") {
  const Shape shape{2, 3, 10};
  CHECK(TensorDesc{shape, ElementType::f32}.bytes() == 240);
  CHECK(TensorDesc{shape, ElementType::f64}.bytes() == 480);
  CHECK(TensorDesc{shape, ElementType::u8}.bytes() == 60);
  CHECK(TensorDesc{shape, ElementType::bits}.bytes() == 12);  // ten bits start a second byte at every pixel
}

TEST_CASE("Sizes beyond 4 GiB do not wrap around") {
  const TensorDesc desc{{40000, 40000, 64}, ElementType::f32};
  CHECK(desc.bytes() == 409600000000);
}

TEST_CASE("A default view is not there") {
  CHECK_FALSE(TensorView{});
  float value = 0;
  CHECK(TensorView{&value, {}});
}
