#pragma once
// Winograd F(4x4,3x3) with the points 0, +-a, +-b, infinity, a = 1/sqrt(2), b = sqrt(2):
//   result tile = A^T [ (G g G^T) * (B^T d B) ] A
// B^T is 1 or 2.5 or a or b in every entry, and the products with them fuse into the sums:
//   0: d0 - 2.5 d2 + d4      +-a: (d4 - 2 d2) +- a (d3 - 2 d1)     +-b: (d4 - d2/2) +- b (d3 - d1/2)     inf:
//   d1 - 2.5 d3 + d5
// and with p = m1 + m2, q = m1 - m2, r = m3 + m4, t = m3 - m4
//   A^T m = m0 + p - r/2,  a (q - t),  p/2 - r,  (a/2) q - b t + m5
// The points are closer to 1 than the usual 0, +-1, +-2, which costs less accuracy.
namespace gramflow::cpu {

inline constexpr float point_a = 0.70710678118654752f;
inline constexpr float point_b = 1.41421356237309505f;

}  // namespace gramflow::cpu
