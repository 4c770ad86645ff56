#include "asyncio/base/internal/ready_node.h"

namespace asyncio::internal {

// Not in line, or g++ would guess that it is this one.
void ReadyNode::go_on() {}

}  // namespace asyncio::internal
