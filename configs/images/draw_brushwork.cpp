#include "configs/images/drawing.h"
namespace gramflow { Picture draw_brushwork(int width, int height) { return Picture(PictureSize{width, height}); } }
