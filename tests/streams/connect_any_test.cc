#include "asyncio/streams/internal/connect_any.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using internal::connect_any;
using internal::ConnectAnyOptions;
using internal::Connected;

// How an address answers. Never, unless it is told to, or at once.
enum class Answer { kNever, kConnects, kRefuses };

// Addresses in their order, and how each answers.
using Hosts = std::vector<std::pair<std::string, Answer>>;

// A network of addresses that answer as they are told. Its sockets are Unix
// sockets; one that is being connected is full, and so not writable, until its
// address answers.
class Network final : public internal::System {
 public:
  explicit Network(const Hosts& hosts)
      : answers_(hosts.begin(), hosts.end()) {}

  int socket(int, int type, int) override {
    return System::socket(AF_UNIX, type, 0);
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    const std::string host = SocketAddress::from_sockaddr(address, size).host();
    log_ += host + "@" + std::to_string(milliseconds()) + " ";
    switch (answers_.at(host)) {
      case Answer::kConnects:
        return 0;
      case Answer::kRefuses:
        return -ECONNREFUSED;
      case Answer::kNever:
        break;
    }
    std::array<int, 2> ends;
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                         ends.data()),
              0);
    const std::string block(4096, 'x');
    while (::write(ends[0], block.data(), block.size()) > 0) continue;
    EXPECT_EQ(dup3(ends[0], fd, O_CLOEXEC), fd);
    ::close(ends[0]);
    peers_[host].reset(ends[1]);
    return -EINPROGRESS;
  }

  // Answers who waits for this address.
  void answer(const std::string& host) {
    std::array<char, 65536> block;
    while (::read(peers_[host].get(), block.data(), block.size()) > 0) continue;
  }
  void lose(const std::string& host) { peers_[host].reset(); }

  // How many descriptors of its own it has.
  size_t peers() const {
    size_t count = 0;
    for (const auto& [host, peer] : peers_) {
      if (peer) ++count;
    }
    return count;
  }

  // Each call of connect(), with its time in milliseconds.
  const std::string& log() const { return log_; }

  static int64_t milliseconds() {
    return (get_running_loop().time() - VirtualClock::kStart).count() /
           1'000'000;
  }

 private:
  const std::map<std::string, Answer> answers_;
  std::map<std::string, FileDescriptor> peers_;
  std::string log_;
};

std::unique_ptr<EventLoop> new_loop(VirtualClock& clock, Network& network) {
  internal::LoopParts parts;
  parts.system = &network;
  return internal::LoopAccess::new_loop({.clock = &clock}, parts);
}

AddrInfo info_of(const std::string& host) {
  const SocketAddress address(host, 80);
  return AddrInfo(address.family(), SOCK_STREAM, 0, "", address);
}

size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

constexpr auto kDelay = 250ms;

// What a try to connect came to.
struct Outcome {
  std::string winner;      // its address; empty where there is none
  std::string failure;     // "ValueError: text"
  std::string order;       // see Network::log()
  int64_t took = 0;        // milliseconds
  size_t descriptors = 0;  // that are open more than before, with the winner's
};

struct Script {
  Hosts hosts;
  ConnectAnyOptions options = {};
  // What happens later, and when.
  std::vector<std::pair<Duration, std::function<void(Network&)>>> events = {};
};

std::vector<AddrInfo> infos_of(const Hosts& hosts) {
  std::vector<AddrInfo> infos;
  for (const auto& [host, answer] : hosts) infos.push_back(info_of(host));
  return infos;
}

Outcome play(const Script& script) {
  Outcome outcome;
  VirtualClock clock;
  Network network(script.hosts);
  Runner runner(new_loop(clock, network));
  runner.run([&]() -> Coroutine<> {
    for (const auto& [delay, event] : script.events) {
      get_running_loop().call_later(
          delay, [&network, event = event] { event(network); });
    }
    const size_t before = open_descriptors();
    Result<Connected> end =
        co_await as_result(connect_any(infos_of(script.hosts), script.options));
    outcome.took = Network::milliseconds();
    if (end.has_value()) {
      outcome.winner = end->peer.host();
    } else {
      outcome.failure = exception_name(end.exception()) + ": " +
                        exception_message(end.exception());
    }
    outcome.descriptors = open_descriptors() - before - network.peers();
  });
  outcome.order = network.log();
  return outcome;
}

TEST(HappyEyeballsTest, TheNextBeginsWhenOneHasHadItsTime) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kNever},
                {"192.0.2.2", Answer::kConnects}},
      .options = {.happy_eyeballs_delay = kDelay},
  });
  EXPECT_EQ(outcome.order, "2001:db8::1@0 192.0.2.1@250 192.0.2.2@500 ");
  EXPECT_EQ(outcome.winner, "192.0.2.2");
  EXPECT_EQ(outcome.took, 500);
  EXPECT_EQ(outcome.descriptors, 1u);
}

TEST(HappyEyeballsTest, TheNextBeginsAtOnceWhenOneHasFailed) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kRefuses},
                {"192.0.2.1", Answer::kRefuses},
                {"192.0.2.2", Answer::kConnects}},
      .options = {.happy_eyeballs_delay = kDelay},
  });
  EXPECT_EQ(outcome.order, "2001:db8::1@0 192.0.2.1@0 192.0.2.2@0 ");
  EXPECT_EQ(outcome.winner, "192.0.2.2");
  EXPECT_EQ(outcome.took, 0);
  EXPECT_EQ(outcome.descriptors, 1u);
}

TEST(HappyEyeballsTest, OneThatAnswersInTimeIsTheOnlyOne) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kConnects}},
      .options = {.happy_eyeballs_delay = kDelay},
      .events = {{249ms, [](Network& n) { n.answer("2001:db8::1"); }}},
  });
  EXPECT_EQ(outcome.order, "2001:db8::1@0 ");
  EXPECT_EQ(outcome.winner, "2001:db8::1");
  EXPECT_EQ(outcome.took, 249);
  EXPECT_EQ(outcome.descriptors, 1u);
}

TEST(HappyEyeballsTest, TheFirstMayStillWin) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kNever},
                {"192.0.2.2", Answer::kConnects}},
      .options = {.happy_eyeballs_delay = kDelay},
      .events = {{300ms, [](Network& n) { n.answer("2001:db8::1"); }}},
  });
  EXPECT_EQ(outcome.order, "2001:db8::1@0 192.0.2.1@250 ");
  EXPECT_EQ(outcome.winner, "2001:db8::1");
  EXPECT_EQ(outcome.took, 300);
  EXPECT_EQ(outcome.descriptors, 1u);
}

TEST(HappyEyeballsTest, OfTwoThatAnswerTogetherOneWins) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kNever}},
      .options = {.happy_eyeballs_delay = kDelay},
      .events = {{300ms,
                  [](Network& n) {
                    n.answer("192.0.2.1");
                    n.answer("2001:db8::1");
                  }}},
  });
  EXPECT_NE(outcome.winner, "");
  EXPECT_EQ(outcome.took, 300);
  EXPECT_EQ(outcome.descriptors, 1u);
}

TEST(HappyEyeballsTest, TheFailureOfAnEarlierOneHurriesNobody) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kNever},
                {"192.0.2.2", Answer::kConnects}},
      .options = {.happy_eyeballs_delay = kDelay},
      .events = {{300ms, [](Network& n) { n.lose("2001:db8::1"); }}},
  });
  EXPECT_EQ(outcome.order, "2001:db8::1@0 192.0.2.1@250 192.0.2.2@500 ");
  EXPECT_EQ(outcome.took, 500);
}

TEST(HappyEyeballsTest, TheLastHasAllTheTimeThereIs) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kNever}},
      .options = {.happy_eyeballs_delay = kDelay},
      .events = {{10s, [](Network& n) { n.lose("2001:db8::1"); }},
                 {20s, [](Network& n) { n.answer("192.0.2.1"); }}},
  });
  EXPECT_EQ(outcome.order, "2001:db8::1@0 192.0.2.1@250 ");
  EXPECT_EQ(outcome.winner, "192.0.2.1");
  EXPECT_EQ(outcome.took, 20'000);
}

TEST(HappyEyeballsTest, ErrorsAreToldInTheOrderOfTheAddresses) {
  Script script = {
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kRefuses}},
      .options = {.happy_eyeballs_delay = kDelay},
      .events = {{300ms, [](Network& n) { n.lose("2001:db8::1"); }}},
  };
  const std::string six =
      "[Errno 104] connect to [2001:db8::1]:80: Connection reset by peer";
  const std::string four =
      "[Errno 111] connect to 192.0.2.1:80: Connection refused";
  const Outcome outcome = play(script);
  EXPECT_EQ(outcome.failure,
            "OSError: Multiple exceptions: " + six + ", " + four);
  EXPECT_EQ(outcome.took, 300);
  EXPECT_EQ(outcome.descriptors, 0u);
  script.options.all_errors = true;
  EXPECT_EQ(play(script).failure,
            "ExceptionGroup: create_connection failed (2 sub-exceptions)");
}

TEST(HappyEyeballsTest, OneErrorAloneIsToldAsItIs) {
  EXPECT_EQ(play({.hosts = {{"192.0.2.1", Answer::kRefuses}},
                  .options = {.happy_eyeballs_delay = kDelay}})
                .failure,
            "ConnectionRefusedError: [Errno 111] connect to 192.0.2.1:80: "
            "Connection refused");
}

TEST(HappyEyeballsTest, FamiliesTakeTurns) {
  Script script = {
      .hosts = {{"2001:db8::1", Answer::kRefuses},
                {"2001:db8::2", Answer::kRefuses},
                {"2001:db8::3", Answer::kRefuses},
                {"192.0.2.1", Answer::kRefuses},
                {"192.0.2.2", Answer::kRefuses}},
  };
  for (const bool happy : {false, true}) {
    if (happy) script.options.happy_eyeballs_delay = kDelay;
    script.options.interleave = 0;
    EXPECT_EQ(play(script).order,
              "2001:db8::1@0 2001:db8::2@0 2001:db8::3@0 192.0.2.1@0 "
              "192.0.2.2@0 ");
    script.options.interleave = 1;
    EXPECT_EQ(play(script).order,
              "2001:db8::1@0 192.0.2.1@0 2001:db8::2@0 192.0.2.2@0 "
              "2001:db8::3@0 ");
    script.options.interleave = 2;
    EXPECT_EQ(play(script).order,
              "2001:db8::1@0 2001:db8::2@0 192.0.2.1@0 2001:db8::3@0 "
              "192.0.2.2@0 ");
    script.options.interleave = 9;
    EXPECT_EQ(play(script).order,
              "2001:db8::1@0 2001:db8::2@0 2001:db8::3@0 192.0.2.1@0 "
              "192.0.2.2@0 ");
  }
}

TEST(ConnectAnyTest, InTurnEachHasAllTheTimeThereIs) {
  const Outcome outcome = play({
      .hosts = {{"2001:db8::1", Answer::kNever},
                {"192.0.2.1", Answer::kRefuses},
                {"192.0.2.2", Answer::kConnects}},
      .events = {{60s, [](Network& n) { n.lose("2001:db8::1"); }}},
  });
  EXPECT_EQ(outcome.order, "2001:db8::1@0 192.0.2.1@60000 192.0.2.2@60000 ");
  EXPECT_EQ(outcome.winner, "192.0.2.2");
  EXPECT_EQ(outcome.descriptors, 1u);
}

TEST(ConnectAnyCancelTest, EverySocketIsClosed) {
  static const Hosts kSilent = {{"2001:db8::1", Answer::kNever},
                                {"192.0.2.1", Answer::kNever},
                                {"192.0.2.2", Answer::kNever}};
  for (const bool happy : {false, true}) {
    std::unique_ptr<Network> network;
    const int rounds = cancel_everywhere(
        [&](CancelScene& scene) -> Coroutine<> {
          ConnectAnyOptions options;
          if (happy) options.happy_eyeballs_delay = kDelay;
          get_running_loop().call_later(100ms, [&] {
            // Somebody tried it, unless that was cancelled before.
            if (!network->log().empty()) network->lose("2001:db8::1");
          });
          get_running_loop().call_later(500ms, [&] {
            if (network->log().find("192.0.2.1@") != std::string::npos) {
              network->answer("192.0.2.1");
            }
          });
          const size_t before = open_descriptors();
          scene.start([options]() -> Coroutine<> {
            co_await connect_any(infos_of(kSilent), options);
          });
          const Result<> end = co_await scene.ended();
          EXPECT_EQ(end.has_value(), !scene.cancels());
          EXPECT_EQ(open_descriptors(), before + network->peers());
        },
        [&](VirtualClock& clock) {
          network = std::make_unique<Network>(kSilent);
          return new_loop(clock, *network);
        });
    EXPECT_GT(rounds, 3);
  }
}

}  // namespace
}  // namespace asyncio
