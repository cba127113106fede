#include "pipelines/restyle/proof_sheet.h"

#include <algorithm>

#include "pipelines/restyle/small_letters.h"

namespace gramflow {
namespace {

constexpr int margin = 8;
constexpr int most_scale = 2;  // of letters

void paste(Picture& sheet, const Picture& picture, int x, int y) {
  for (int row = 0; row < picture.height; ++row)
    std::copy_n(picture.rgb.begin() + static_cast<std::ptrdiff_t>(row) * picture.width * 3, picture.width * 3,
                sheet.rgb.begin() + (static_cast<std::ptrdiff_t>(y + row) * sheet.width + x) * 3);
}

}  // namespace

Picture proof_sheet(const std::vector<Proof>& proofs, std::size_t columns) {
  int width = 0, height = 0, letters = 1;
  for (const Proof& proof : proofs) {
    width = std::max(width, proof.picture.width);
    height = std::max(height, proof.picture.height);
    letters = std::max(letters, static_cast<int>(proof.label.size()));
  }
  const int scale = std::clamp(width / (letters * letter_width), 1, most_scale);
  const int label = letter_height * scale + margin;
  const auto rows = static_cast<int>((proofs.size() + columns - 1) / columns);
  Picture sheet(PictureSize{static_cast<int>(columns) * (width + margin) + margin,
                            rows * (height + label + margin) + margin});
  std::fill(sheet.rgb.begin(), sheet.rgb.end(), 1.0F);
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    const int x = margin + static_cast<int>(i % columns) * (width + margin);
    const int y = margin + static_cast<int>(i / columns) * (height + label + margin);
    write_letters(sheet, proofs[i].label, x, y, scale, 0.15F);
    paste(sheet, proofs[i].picture, x, y + label);
  }
  return sheet;
}

}  // namespace gramflow
