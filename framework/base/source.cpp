#include "framework/base/source.h"
