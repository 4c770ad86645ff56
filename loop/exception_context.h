// ExceptionContext: a report to a loop's exception handler.
//
//   loop.set_exception_handler([](EventLoop&, const ExceptionContext& report) {
//     log(report.message, exception_message(report.exception));
//   });
//
// It owns what it names and may be kept.
#ifndef ASYNCIO_LOOP_EXCEPTION_CONTEXT_H_
#define ASYNCIO_LOOP_EXCEPTION_CONTEXT_H_

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "asyncio/base/any_future.h"
#include "asyncio/loop/handle.h"

namespace asyncio {

class ExceptionContext {
 public:
  ExceptionContext() = default;
  ExceptionContext(std::string message,  // NOLINT: implicit, for braces
                   std::exception_ptr exception = nullptr)
      : message(std::move(message)), exception(std::move(exception)) {}

  std::string message;
  std::exception_ptr exception;  // null where there is none
  AnyFuture future;              // null where it is not about one
  AnyTask task;                  // null where it is not about one
  std::optional<Handle> handle;
  std::string source;            // "file:line" of its origin, where known
};

}  // namespace asyncio

#endif  // ASYNCIO_LOOP_EXCEPTION_CONTEXT_H_
