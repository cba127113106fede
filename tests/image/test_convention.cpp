#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "framework/devices/cpu/channel_affine.h"
#include "nodes/image/noise.h"
#include "nodes/networks/convention.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const InputConvention torchvision{ChannelOrder::rgb, 1, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
const InputConvention caffe{ChannelOrder::bgr, 255, {123.68, 116.779, 103.939}, {1, 1, 1}};

void apply(const ChannelMap& map, std::span<const float> from, std::span<float> to) {
  cpu::channel_affine(map.source, map.factor, map.offset, from, to, false);
}
void preprocess(std::span<const float> from, std::span<float> to, const InputConvention& convention) {
  apply(network_from_picture(convention), from, to);
}

}  // namespace

TEST_CASE("torchvision's convention subtracts the mean and divides by the deviation") {
  const std::vector<float> in = {1, 0.5F, 0};
  std::vector<float> out(3);
  preprocess(in, out, torchvision);
  CHECK(out[0] == doctest::Approx((1 - 0.485) / 0.229));
  CHECK(out[1] == doctest::Approx((0.5 - 0.456) / 0.224));
  CHECK(out[2] == doctest::Approx(-0.406 / 0.225));
}

TEST_CASE("Caffe's convention scales to 255 and puts blue first; means are listed in RGB order") {
  const std::vector<float> in = {1, 0.5F, 0};
  std::vector<float> out(3);
  preprocess(in, out, caffe);
  CHECK(out[0] == doctest::Approx(-103.939));
  CHECK(out[1] == doctest::Approx(127.5 - 116.779));
  CHECK(out[2] == doctest::Approx(255 - 123.68));
}

TEST_CASE("the way back undoes the way there, in place too") {
  for (const InputConvention& convention : {torchvision, caffe}) {
    const Picture picture = noise(150, 130, {.seed = 1});  // more than one block
    Picture back = picture;
    preprocess(back.rgb, back.rgb, convention);
    apply(picture_from_network(convention), back.rgb, back.rgb);
    CHECK(difference(back, picture) < 1e-4);
  }
}

TEST_CASE("neither way clamps") {
  const std::vector<float> in = {2, -1, 0.5F};
  std::vector<float> out(3);
  preprocess(in, out, torchvision);
  apply(picture_from_network(torchvision), out, out);
  for (std::size_t c = 0; c < 3; ++c) CHECK(out[c] == doctest::Approx(in[c]));
}

TEST_CASE("the input range is what black and white become") {
  for (const InputConvention& convention : {torchvision, caffe}) {
    std::vector<float> black(3, 0.0F);
    std::vector<float> white(3, 1.0F);
    preprocess(black, black, convention);
    preprocess(white, white, convention);
    const InputRange range = input_range(convention);
    for (std::size_t c = 0; c < 3; ++c) {
      CHECK(range.low[c] == doctest::Approx(black[c]));
      CHECK(range.high[c] == doctest::Approx(white[c]));
    }
  }
}
