// HostList: the names and addresses that a server listens on.
//
//   co_await start_server(serve, "127.0.0.1", 8080);
//   co_await start_server(serve, {"127.0.0.1", "::1"}, 8080);
//   co_await start_server(serve, hosts, 8080);              // a range of them
//   co_await start_server(serve, "", 8080);                 // every address
//
// Lifetime: it holds copies.
#ifndef ASYNCIO_STREAMS_HOST_LIST_H_
#define ASYNCIO_STREAMS_HOST_LIST_H_

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {

class HostList {
 public:
  template <class... H>
  requires(std::convertible_to<const H&, std::string_view>&&...)
      HostList(const H&... hosts) {  // NOLINT: implicit
    (hosts_.emplace_back(std::string_view(hosts)), ...);
  }
  template <class Range>
  requires(!std::convertible_to<const Range&, std::string_view> &&
           !std::same_as<Range, HostList> && requires(const Range& range) {
             std::string_view(*range.begin());
           }) HostList(const Range& range) {  // NOLINT: implicit
    for (const auto& host : range) hosts_.emplace_back(std::string_view(host));
  }

  // As they were given; an empty one stands for every address.
  const std::vector<std::string>& hosts() const { return hosts_; }

 private:
  std::vector<std::string> hosts_;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_HOST_LIST_H_
