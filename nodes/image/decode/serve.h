#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace gramflow::decode {

/// The way back to gramflow: sends a message, and waits for one.
struct Channel {
  std::function<void(std::string_view)> send;
  std::function<std::string()> receive;
  std::span<std::byte> shared;  ///< see decoder_protocol.h
};

/// Answers one request, whatever the file holds. Only std::bad_alloc and signals get out, and what the
/// channel throws.
void serve(std::string_view request, const Channel& channel);

}  // namespace gramflow::decode
