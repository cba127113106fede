#pragma once
// What gramflow asks the child program about a file of weights (nodes/image/decoder_protocol.h is the same
// for pictures). Answers may be long: they go through the shared memory, portion by portion.
//
//   gramflow                                             gramflow-decoder
//   {Kind::weights, Opening}                       ->
//                                                  <-    contents | refusal
//   {Ask, ...}                                     ->
//                                                  <-    answer | refusal       ... again and again
//   {Ask::end}                                     ->
//
//   answer: {Reply::portion, bytes}, "go on" from the other side, ..., {Reply::whole}
#include <string>

#include "framework/base/packed_message.h"

namespace gramflow::weights_protocol {

inline constexpr std::string_view go_on = "go on";

enum class Ask : std::uint64_t { layout, facts, epsilon, metadata, read, end };
enum class Reply : std::uint64_t { portion, whole, refused };

struct Opening {
  std::string path;
  std::string scratch;       ///< an empty file for what has to be unpacked; "": none is needed
  std::uint64_t memory = 0;  ///< bytes
  std::uint64_t seconds = 0;
};

}  // namespace gramflow::weights_protocol
