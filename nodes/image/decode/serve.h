#pragma once
#include <string_view>

#include "framework/base/child_side.h"

namespace gramflow::decode {

/// Answers one request (decoder_protocol.h), whatever the file holds. Only std::bad_alloc and signals get
/// out, and what the channel throws.
void serve(std::string_view request, const Channel& channel);

}  // namespace gramflow::decode
