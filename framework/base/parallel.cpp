#include "framework/base/parallel.h"
