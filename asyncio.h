// asyncio for C++: Python's asyncio, for C++20.
//
//   #include "asyncio/asyncio.h"
//
//   asyncio::Coroutine<> amain() {
//     co_await asyncio::sleep(std::chrono::seconds(1));
//   }
//   int main() { asyncio::run(amain()); }
//
// Includes the public headers of every module; each can be included and depended
// on alone.
#ifndef ASYNCIO_ASYNCIO_H_
#define ASYNCIO_ASYNCIO_H_

// IWYU pragma: begin_exports
#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/clock.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/executor.h"
#include "asyncio/loop/handle.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/host_list.h"
#include "asyncio/streams/pipe.h"
#include "asyncio/streams/sendfile.h"
#include "asyncio/streams/separators.h"
#include "asyncio/streams/server.h"
#include "asyncio/streams/signal_stream.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/streams/udp.h"
#include "asyncio/subprocess/argv.h"
#include "asyncio/subprocess/process.h"
#include "asyncio/subprocess/subprocess_options.h"
#include "asyncio/sync/acquired.h"
#include "asyncio/sync/barrier.h"
#include "asyncio/sync/broadcast.h"
#include "asyncio/sync/capacity_limiter.h"
#include "asyncio/sync/channel.h"
#include "asyncio/sync/condition.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/once.h"
#include "asyncio/sync/oneshot.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/rw_lock.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/sync/ticker.h"
#include "asyncio/sync/watch.h"
#include "asyncio/task/as_completed.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/async_generator.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/concurrent_future.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/future.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/select.h"
#include "asyncio/task/shield.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/task_group.h"
#include "asyncio/task/threads.h"
#include "asyncio/task/timeout.h"
#include "asyncio/task/wait.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/task/with.h"
#include "asyncio/timers/timer_wheel.h"
// IWYU pragma: end_exports

#endif  // ASYNCIO_ASYNCIO_H_
