// Gets a page over HTTP, as curl does.
//
//   bazel run //examples:http_get -- http://example.org/
//
// What is seen: the head of the answer on standard error, the page on standard
// output. A name with several addresses is tried at all of them, a little later
// each (Happy Eyeballs), and nothing takes longer than ten seconds.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "asyncio/asyncio.h"

using namespace std::chrono_literals;
using asyncio::Connection;
using asyncio::Coroutine;

class Url {
 public:
  static std::optional<Url> parse(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    if (!text.starts_with(kScheme)) return std::nullopt;
    text.remove_prefix(kScheme.size());
    Url url;
    const size_t slash = std::min(text.find('/'), text.size());
    if (slash < text.size()) url.path = text.substr(slash);
    url.host = text.substr(0, slash);
    const size_t colon = url.host.rfind(':');
    // "[::1]" has colons that are none of a port.
    if (colon != std::string::npos && url.host.back() != ']') {
      url.port = static_cast<uint16_t>(std::atoi(&url.host[colon + 1]));
      url.host.resize(colon);
    }
    return url;
  }

  // Without the brackets of an IPv6 address.
  std::string address() const {
    if (!host.starts_with('[')) return host;
    return host.substr(1, host.size() - 2);
  }

  std::string host;
  uint16_t port = 80;
  std::string path = "/";
};

Coroutine<int> get(Url url) {
  Connection server = co_await asyncio::open_connection(
      url.address(), url.port, {.happy_eyeballs_delay = 250ms});
  server.writer.write("GET " + url.path + " HTTP/1.0\r\nHost: " + url.host +
                      "\r\nConnection: close\r\n\r\n");
  const std::string head = co_await server.reader.readuntil("\r\n\r\n");
  std::cerr << head;
  for (;;) {
    const std::string part = co_await server.reader.read(65536);
    if (part.empty()) break;
    std::cout << part;
  }
  // "HTTP/1.0 200 OK"
  const size_t blank = head.find(' ');
  const bool good = blank != std::string::npos && head[blank + 1] == '2';
  co_return good ? 0 : 1;
}

int main(int argc, char** argv) {
  const std::optional<Url> url = Url::parse(argc > 1 ? argv[1] : "");
  if (!url) {
    std::cerr << "usage: http_get http://HOST[:PORT]/PATH\n";
    return 2;
  }
  try {
    return asyncio::run(asyncio::wait_for(get(*url), 10s));
  } catch (const std::exception& e) {
    std::cerr << asyncio::exception_name(e) << ": " << e.what() << "\n";
    return 1;
  }
}
