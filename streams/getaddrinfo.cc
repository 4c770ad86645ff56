#include "asyncio/streams/getaddrinfo.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <netdb.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/threads.h"

namespace asyncio {
namespace {

class GaiCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "gai"; }
  std::string message(int error) const override { return gai_strerror(error); }
};

const std::error_category& gai_category() {
  static const GaiCategory* const category = new GaiCategory;
  return *category;
}

// What the resolver is asked.
struct Question {
  std::string host;
  std::string service;
  AddrInfoOptions options;

  Question(std::string_view host, std::string_view service,
           AddrInfoOptions options)
      : host(host), service(service), options(options) {
    for (const std::string& part : {this->host, this->service}) {
      if (part.find('\0') != std::string::npos) {
        throw ValueError("embedded null character");
      }
    }
  }

  // "example.org:80"
  std::string name() const { return absl::StrCat(host, ":", service); }
};

bool is_number(std::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

struct FreeAddrInfo {
  void operator()(addrinfo* info) const { freeaddrinfo(info); }
};

std::vector<AddrInfo> ask(const Question& question, int more_flags = 0) {
  addrinfo hints = {};
  hints.ai_family = question.options.family;
  hints.ai_socktype = question.options.type;
  hints.ai_protocol = question.options.proto;
  hints.ai_flags = question.options.flags | more_flags;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(
      question.host.empty() ? nullptr : question.host.c_str(),
      // Without a host, the resolver wants a service.
      question.service.empty() ? "0" : question.service.c_str(), &hints, &list);
  if (error == EAI_SYSTEM)
    throw_os_error(errno, "getaddrinfo " + question.name());
  if (error != 0) throw gaierror(error, "getaddrinfo " + question.name());
  const std::unique_ptr<addrinfo, FreeAddrInfo> owner(list);
  std::vector<AddrInfo> infos;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    std::string canonname;
    if (info->ai_canonname != nullptr) canonname = info->ai_canonname;
    infos.emplace_back(
        info->ai_family, info->ai_socktype, info->ai_protocol,
        std::move(canonname),
        SocketAddress::from_sockaddr(info->ai_addr, info->ai_addrlen));
  }
  return infos;
}

// Whether the resolver needs no file, no server and no time.
bool is_known(const Question& question) {
  return is_number(question.service) &&
         (question.host.empty() ||
          (question.options.flags & AI_NUMERICHOST) != 0 ||
          SocketAddress::parse(question.host, 0));
}

void report_slow(const Question& question, Duration taken,
                 const std::vector<AddrInfo>& infos) {
  std::string asked = question.name();
  const AddrInfoOptions& options = question.options;
  if (options.family != 0) absl::StrAppend(&asked, ", family=", options.family);
  if (options.type != 0) absl::StrAppend(&asked, ", type=", options.type);
  if (options.proto != 0) absl::StrAppend(&asked, ", proto=", options.proto);
  if (options.flags != 0) absl::StrAppend(&asked, ", flags=", options.flags);
  const std::string text = absl::StrFormat(
      "Getting address info %s took %.3fms: [%s]\n", asked,
      taken.seconds() * 1e3,
      absl::StrJoin(infos, ", ", [](std::string* out, const AddrInfo& info) {
        out->append(info.address.to_string());
      }));
  std::fputs(text.c_str(), stderr);
}

Coroutine<std::vector<AddrInfo>> look_up(Question question) {
  if (is_known(question)) co_return ask(question, AI_NUMERICSERV);
  EventLoop& loop = get_running_loop();
  const TimePoint start = loop.time();
  auto asked =
      run_in_executor(loop, nullptr, [question] { return ask(question); });
  std::vector<AddrInfo> infos = co_await std::move(asked);
  if (loop.get_debug()) {
    const Duration taken = loop.time() - start;
    if (taken >= loop.slow_callback_duration()) {
      report_slow(question, taken, infos);
    }
  }
  co_return infos;
}

NameInfo ask_name(const SocketAddress& address, int flags) {
  std::array<char, NI_MAXHOST> host;
  std::array<char, NI_MAXSERV> service;
  const int error =
      ::getnameinfo(address.data(), address.size(), host.data(), host.size(),
                    service.data(), service.size(), flags);
  if (error == EAI_SYSTEM) {
    throw_os_error(errno, "getnameinfo " + address.to_string());
  }
  if (error != 0) throw gaierror(error, "getnameinfo " + address.to_string());
  return NameInfo(host.data(), service.data());
}

}  // namespace

gaierror::gaierror(int error, std::string_view what_failed)
    : OSError(std::error_code(error, gai_category()), what_failed) {}

Coroutine<std::vector<AddrInfo>> getaddrinfo(std::string_view host,
                                             uint16_t port,
                                             AddrInfoOptions options) {
  return look_up(Question(host, std::to_string(port), options));
}

Coroutine<std::vector<AddrInfo>> getaddrinfo(std::string_view host,
                                             std::string_view service,
                                             AddrInfoOptions options) {
  return look_up(Question(host, service, options));
}

Coroutine<NameInfo> getnameinfo(SocketAddress address, int flags) {
  constexpr int kNumeric = NI_NUMERICHOST | NI_NUMERICSERV;
  if ((flags & kNumeric) == kNumeric) co_return ask_name(address, flags);
  auto asked = run_in_executor(nullptr, ask_name, address, flags);
  co_return co_await std::move(asked);
}

}  // namespace asyncio
