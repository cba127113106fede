#include "framework/base/text.h"
