// Between the values of proto/origin.hpp and the messages that protobuf generates from
// origin.proto. Private to this directory: origin.cpp implements it, rpc.cpp uses it for the record
// inside a Request; nobody else sees a protobuf type.
#pragma once

#include "origin.pb.h"
#include "proto/origin.hpp"
#include "proto/result.hpp"

namespace millrace {

// Cleans every text on the way.
[[nodiscard]] wire::OriginRecord to_wire(const OriginRecord& record);
// Validates everything; errors are OriginErrc.
[[nodiscard]] Result<OriginRecord> from_wire(const wire::OriginRecord& message);

}  // namespace millrace
