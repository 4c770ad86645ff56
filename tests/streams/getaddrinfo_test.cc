#include "asyncio/streams/getaddrinfo.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <set>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/executor.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/threads.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Infos = std::vector<AddrInfo>;

std::set<std::string> texts(const Infos& infos) {
  std::set<std::string> texts;
  for (const AddrInfo& info : infos) texts.insert(info.address.to_string());
  return texts;
}

// Keeps what it is given.
class HeldExecutor final : public Executor {
 public:
  explicit HeldExecutor(size_t& held) : held_(held) {}
  void submit(std::shared_ptr<Work> work) override {
    work_.push_back(std::move(work));
    held_ = work_.size();
  }

 private:
  std::vector<std::shared_ptr<Work>> work_;
  size_t& held_;
};

// Of a loop whose executor is not to be used.
class KnownAddressTest : public AsyncTest {
 protected:
  void refuse_threads() {
    set_default_executor(get_running_loop(),
                         std::make_unique<HeldExecutor>(held_));
    get_running_loop().call_soon([this] { ++turns_; });
  }
  void TearDown() override { EXPECT_EQ(held_, 0u); }

  size_t held_ = 0;
  int turns_ = 0;
};

ASYNCIO_TEST_F(KnownAddressTest, ANumericHostIsAnsweredAtOnce) {
  refuse_threads();
  Infos infos = co_await getaddrinfo("192.0.2.1", 80, {.type = SOCK_STREAM});
  EXPECT_EQ(turns_, 0);
  CO_ASSERT_EQ(infos.size(), 1u);
  EXPECT_EQ(infos[0].family, AF_INET);
  EXPECT_EQ(infos[0].type, SOCK_STREAM);
  EXPECT_EQ(infos[0].proto, IPPROTO_TCP);
  EXPECT_EQ(infos[0].canonname, "");
  EXPECT_EQ(infos[0].address, SocketAddress("192.0.2.1", 80));
}

ASYNCIO_TEST_F(KnownAddressTest, AllThatNeedsNoLookUp) {
  refuse_threads();
  Infos v6 = co_await getaddrinfo("::1", 65535, {.type = SOCK_DGRAM});
  CO_ASSERT_EQ(v6.size(), 1u);
  EXPECT_EQ(v6[0].address, SocketAddress("::1", 65535));
  EXPECT_EQ(v6[0].proto, IPPROTO_UDP);

  Infos scoped = co_await getaddrinfo("fe80::1%lo", "1", {.type = SOCK_STREAM});
  CO_ASSERT_EQ(scoped.size(), 1u);
  EXPECT_EQ(scoped[0].address, SocketAddress("fe80::1%lo", 1));

  Infos every_type = co_await getaddrinfo("127.0.0.1", "");
  EXPECT_EQ(every_type.size(), 3u);
  EXPECT_THAT(texts(every_type), ElementsAre("127.0.0.1:0"));

  Infos any = co_await getaddrinfo(
      "", 80, {.family = AF_INET, .type = SOCK_STREAM, .flags = AI_PASSIVE});
  EXPECT_THAT(texts(any), ElementsAre("0.0.0.0:80"));
  Infos loopback =
      co_await getaddrinfo("", 80, {.family = AF_INET, .type = SOCK_STREAM});
  EXPECT_THAT(texts(loopback), ElementsAre("127.0.0.1:80"));

  Result<Infos> name = co_await as_result(
      getaddrinfo("localhost", 80, {.flags = AI_NUMERICHOST}));
  EXPECT_NE(name.get_if<gaierror>(), nullptr);
  EXPECT_EQ(turns_, 0);
}

ASYNCIO_TEST_F(KnownAddressTest, ANumericNameIsAnsweredAtOnce) {
  refuse_threads();
  NameInfo name = co_await getnameinfo(SocketAddress("::1", 80),
                                       NI_NUMERICHOST | NI_NUMERICSERV);
  EXPECT_EQ(name.host, "::1");
  EXPECT_EQ(name.service, "80");
  EXPECT_EQ(turns_, 0);
}

ASYNCIO_TEST(GetaddrinfoTest, FindsAName) {
  Infos infos = co_await getaddrinfo("localhost", 80,
                                     {.family = AF_INET, .type = SOCK_STREAM});
  EXPECT_THAT(texts(infos), ElementsAre("127.0.0.1:80"));
}

ASYNCIO_TEST(GetaddrinfoTest, FindsAService) {
  Infos infos =
      co_await getaddrinfo("127.0.0.1", "http", {.type = SOCK_STREAM});
  EXPECT_THAT(texts(infos), ElementsAre("127.0.0.1:80"));
}

ASYNCIO_TEST(GetaddrinfoTest, GivesTheCanonicalNameInTheFirstEntry) {
  Infos infos = co_await getaddrinfo("localhost", 80, {.flags = AI_CANONNAME});
  CO_ASSERT_GT(infos.size(), 1u);
  EXPECT_NE(infos[0].canonname, "");
  EXPECT_EQ(infos[1].canonname, "");
}

ASYNCIO_TEST(GetaddrinfoTest, ARefusalNamesTheQuestion) {
  Result<Infos> host =
      co_await as_result(getaddrinfo("no host", 80, {.flags = AI_NUMERICHOST}));
  const gaierror* error = host.get_if<gaierror>();
  CO_ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->error(), EAI_NONAME);
  EXPECT_STREQ(error->what(),
               "[Errno -2] getaddrinfo no host:80: Name or service not known");
  EXPECT_EQ(exception_name(*error), "gaierror");

  Result<Infos> service = co_await as_result(
      getaddrinfo("127.0.0.1", "no service", {.type = SOCK_STREAM}));
  error = service.get_if<gaierror>();
  CO_ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->error(), EAI_SERVICE);
  EXPECT_STREQ(error->what(),
               "[Errno -8] getaddrinfo 127.0.0.1:no service: "
               "Servname not supported for ai_socktype");
  EXPECT_NE(service.get_if<OSError>(), nullptr);
}

ASYNCIO_TEST(GetaddrinfoTest, ANulByteIsRefused) {
  using namespace std::string_view_literals;
  EXPECT_THROW(static_cast<void>(getaddrinfo("a\0b"sv, 80)), ValueError);
  EXPECT_THROW(static_cast<void>(getaddrinfo("a", "8\0"sv)), ValueError);
  co_return;
}

ASYNCIO_TEST(GetaddrinfoTest, ArgumentsAreCopiedAtTheCall) {
  Task<Infos> task = create_task(getaddrinfo(
      std::string("192.0.2.") + "123456789012345" + std::string("..."),
      std::string("1") + "2"));
  Result<Infos> end = co_await as_result(std::move(task));
  CO_ASSERT_NE(end.get_if<gaierror>(), nullptr);
  EXPECT_THAT(end.get_if<gaierror>()->what(),
              HasSubstr("getaddrinfo 192.0.2.123456789012345...:12:"));
}

ASYNCIO_TEST(GetaddrinfoTest, WaitingIsCancelledAtOnce) {
  size_t held = 0;
  set_default_executor(get_running_loop(),
                       std::make_unique<HeldExecutor>(held));
  Task<Infos> task = create_task(getaddrinfo("localhost", 80));
  co_await sleep(0s);
  EXPECT_EQ(held, 1u);
  task.cancel();
  Result<Infos> end = co_await as_result(task);
  EXPECT_TRUE(end.cancelled());
}

ASYNCIO_TEST(GetaddrinfoTest, ASlowOneIsToldInDebugMode) {
  EventLoop& loop = get_running_loop();
  loop.set_debug(true);
  loop.set_slow_callback_duration(Duration::zero());
  ::testing::internal::CaptureStderr();
  co_await getaddrinfo("localhost", 80,
                       {.family = AF_INET, .type = SOCK_STREAM});
  loop.set_debug(false);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("Getting address info localhost:80, family=2, type=1 "
                        "took 0.000ms: [127.0.0.1:80]\n"));
}

ASYNCIO_TEST(GetnameinfoTest, FindsTheNameOfAService) {
  NameInfo name =
      co_await getnameinfo(SocketAddress("127.0.0.1", 80), NI_NUMERICHOST);
  EXPECT_EQ(name.host, "127.0.0.1");
  EXPECT_EQ(name.service, "http");
}

ASYNCIO_TEST(GetnameinfoTest, ARefusalNamesTheAddress) {
  Result<NameInfo> end = co_await as_result(getnameinfo(SocketAddress()));
  const gaierror* error = end.get_if<gaierror>();
  CO_ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->error(), EAI_FAMILY);
}

TEST(CancelGetaddrinfoTest, AtAnyMoment) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    scene.start(getaddrinfo("localhost", 80));
    Result<> end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
  });
}

}  // namespace
}  // namespace asyncio
