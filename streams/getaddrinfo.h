// getaddrinfo, getnameinfo: from names to addresses, and back.
//
//   for (const AddrInfo& info :
//        co_await getaddrinfo("example.org", 80, {.type = SOCK_STREAM})) {
//     use(info.family, info.address);
//   }
//   NameInfo name = co_await getnameinfo(writer.peername());   // host, service
//
// An empty host is Python's None: with AI_PASSIVE in the flags every address of
// this machine, else its loopback addresses.
//
// The system's resolver blocks, so it is asked on the loop's default executor
// (task/threads.h). What needs no look-up is answered at once, without a thread
// and without a turn of the loop: numeric addresses, or none, with a port.
//
// Order: of the addresses, the resolver's (RFC 6724).
// Errors: gaierror; OSError where the resolver met one.
// Cancellation: at once. A look-up that has begun runs on in its thread, and
// its answer is dropped.
// Lifetime: arguments are copied at the call. run() waits for a look-up that is
// under way as for every call on the default executor: five minutes at most.
// Debug mode: one that took longer than slow_callback_duration() is told on
// standard error.
#ifndef ASYNCIO_STREAMS_GETADDRINFO_H_
#define ASYNCIO_STREAMS_GETADDRINFO_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

// Zero is any.
struct AddrInfoOptions {
  int family = AF_UNSPEC;  // AF_INET, AF_INET6
  int type = 0;            // SOCK_STREAM, SOCK_DGRAM; any: an entry for each
  int proto = 0;           // IPPROTO_TCP ...
  int flags = 0;           // AI_PASSIVE, AI_CANONNAME, AI_NUMERICHOST ...
};

// One address, and the arguments of the socket() that fits it.
class AddrInfo {
 public:
  AddrInfo(int family, int type, int proto, std::string canonname,
           SocketAddress address)
      : family(family),
        type(type),
        proto(proto),
        canonname(std::move(canonname)),
        address(address) {}

  int family;
  int type;
  int proto;
  std::string canonname;  // with AI_CANONNAME, in the first entry
  SocketAddress address;
};

class NameInfo {
 public:
  NameInfo(std::string host, std::string service)
      : host(std::move(host)), service(std::move(service)) {}

  std::string host;
  std::string service;
};

// The resolver's refusal. error() is one of EAI_NONAME and its like.
//   "[Errno -2] getaddrinfo nowhere.invalid:80: Name or service not known"
class gaierror : public OSError {
 public:
  gaierror(int error, std::string_view what_failed);
};

Coroutine<std::vector<AddrInfo>> getaddrinfo(std::string_view host,
                                             uint16_t port,
                                             AddrInfoOptions options = {});
// The service is a name ("http"), a number ("80"), or empty: port 0.
Coroutine<std::vector<AddrInfo>> getaddrinfo(std::string_view host,
                                             std::string_view service,
                                             AddrInfoOptions options = {});

// `flags`: NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD ... With the first two
// nothing is looked up.
Coroutine<NameInfo> getnameinfo(SocketAddress address, int flags = 0);

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_GETADDRINFO_H_
