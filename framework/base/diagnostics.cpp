#include "framework/base/diagnostics.h"
