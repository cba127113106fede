#pragma once
// The child's side of child_program.h: the way back to the program that started it, and the limits that it
// sets itself for each thing that it is asked.
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gramflow {

/// Messages to and from the program that started this one, and the memory that both see.
struct Channel {
  std::function<void(std::string_view)> send;
  std::function<std::string()> receive;
  std::span<std::byte> shared;
};

/// Empty when this program was started by hand. Ctrl-C is left to the other program; a crash leaves no core.
/// send and receive end this process quietly when the other is gone.
std::optional<Channel> channel_to_parent(std::size_t shared_bytes);

/// Heap and private memory may grow by `bytes` beyond what is used now; it can be set anew for each request.
/// What wants more gets std::bad_alloc. Without effect under the address sanitizer.
void limit_memory(std::uint64_t bytes);

}  // namespace gramflow
