#pragma once
// What gramflow and its child program gramflow-decoder say to each other. Both come from one build, so this
// is no format that others could rely on. Messages are packed numbers and texts; pixels and what is longer
// stand in shared memory.
//
//   gramflow                                          gramflow-decoder
//                                              <-     greeting
//   Request{header or pixels, path, limits}    ->
//                                              <-     header (in shared memory) | refusal
//   (pixels:)                                  <-     rows: pixels [first, first + count) as RGB floats in
//   shared memory "go on"                                    ->     ... again and again, in the file's order,
//   then
//                                              <-     done | refusal
#include <cstdint>
#include <string_view>

#include "framework/base/packed_message.h"

namespace gramflow::decoder_protocol {

inline constexpr std::string_view greeting = "gramflow-decoder 2";
inline constexpr std::string_view go_on = "go on";
inline constexpr std::size_t shared_bytes = std::size_t{8} << 20;

/// `weights` opens another conversation: nodes/import/weights_protocol.h.
enum class Kind : std::uint64_t { header, pixels, rows, done, damaged, not_read, out_of_memory, weights };

}  // namespace gramflow::decoder_protocol
