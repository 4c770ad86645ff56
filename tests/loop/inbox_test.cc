// The Inbox: what is pushed comes out in order, and of all who push while the
// loop sleeps exactly one is told to wake it.
#include <array>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/loop/internal/ready_queue.h"

namespace asyncio::internal {
namespace {

struct Node final : ReadyNode {
  void run() override {}
  void drop() noexcept override {}
};

const char* push(Inbox& inbox, Node& node) {
  const Inbox::Pushed pushed = inbox.push(node);
  if (pushed.first_since_sleep()) return "first, since it sleeps";
  return pushed.first() ? "first" : "behind others";
}

TEST(InboxTest, IsEmptiedInTheOrderOfPushing) {
  Inbox inbox;
  ReadyQueue queue;
  std::array<Node, 3> nodes;
  EXPECT_TRUE(inbox.empty());
  EXPECT_STREQ(push(inbox, nodes[0]), "first");
  for (size_t i = 1; i < nodes.size(); ++i) {
    EXPECT_STREQ(push(inbox, nodes[i]), "behind others");
  }
  EXPECT_FALSE(inbox.empty());
  inbox.drain_to(queue);
  EXPECT_TRUE(inbox.empty());
  for (Node& node : nodes) {
    EXPECT_TRUE(node.queued());
    EXPECT_EQ(&queue.pop(), &node);
    EXPECT_FALSE(node.queued());
  }
  EXPECT_TRUE(queue.empty());
}

TEST(InboxTest, WhatIsInItGoesBehindWhatIsReady) {
  Inbox inbox;
  ReadyQueue queue;
  Node ready, posted, later;
  queue.push(ready);
  EXPECT_STREQ(push(inbox, posted), "first");
  inbox.drain_to(queue);
  queue.push(later);
  EXPECT_EQ(&queue.pop(), &ready);
  EXPECT_EQ(&queue.pop(), &posted);
  EXPECT_EQ(&queue.pop(), &later);
}

TEST(InboxTest, TheFirstPushToASleepingLoopHasToWakeIt) {
  Inbox inbox;
  ReadyQueue queue;
  std::array<Node, 3> nodes;
  ASSERT_TRUE(inbox.begin_sleep());
  EXPECT_TRUE(inbox.empty());
  EXPECT_STREQ(push(inbox, nodes[0]), "first, since it sleeps");
  EXPECT_STREQ(push(inbox, nodes[1]), "behind others");
  inbox.end_sleep();
  EXPECT_STREQ(push(inbox, nodes[2]), "behind others");
  inbox.drain_to(queue);
  for (Node& node : nodes) EXPECT_EQ(&queue.pop(), &node);
  EXPECT_TRUE(queue.empty());
}

TEST(InboxTest, ALoopWithSomethingInItDoesNotGoToSleep) {
  Inbox inbox;
  ReadyQueue queue;
  Node first, second;
  EXPECT_STREQ(push(inbox, first), "first");
  EXPECT_FALSE(inbox.begin_sleep());
  EXPECT_STREQ(push(inbox, second), "behind others");
  inbox.drain_to(queue);
  EXPECT_TRUE(inbox.begin_sleep());
}

TEST(InboxTest, AfterASleepNobodyHasToWakeTheLoop) {
  Inbox inbox;
  ReadyQueue queue;
  Node node;
  ASSERT_TRUE(inbox.begin_sleep());
  inbox.end_sleep();
  EXPECT_STREQ(push(inbox, node), "first");
  inbox.drain_to(queue);
  EXPECT_EQ(&queue.pop(), &node);
}

// A poller may throw.
TEST(InboxTest, ASleepThatWasNotEndedMayBeBegunAgain) {
  Inbox inbox;
  ReadyQueue queue;
  Node node;
  ASSERT_TRUE(inbox.begin_sleep());
  inbox.drain_to(queue);
  EXPECT_TRUE(queue.empty());
  ASSERT_TRUE(inbox.begin_sleep());
  EXPECT_STREQ(push(inbox, node), "first, since it sleeps");
}

TEST(InboxTest, OfManyThreadsOneWakesTheLoopEachTimeItSleeps) {
  constexpr int kThreads = 4;
  constexpr int kPushes = 5000;
  Inbox inbox;
  ReadyQueue queue;
  std::array<std::vector<Node>, kThreads> nodes;
  std::array<int, kThreads> wake_ups{};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    nodes[t] = std::vector<Node>(kPushes);
    threads.emplace_back([&, t] {
      for (Node& node : nodes[t]) {
        if (inbox.push(node).first_since_sleep()) ++wake_ups[t];
      }
    });
  }
  int sleeps_that_ended_in_a_push = 0;
  int left = kThreads * kPushes;
  while (left > 0) {
    if (inbox.begin_sleep()) {
      while (inbox.empty()) std::this_thread::yield();
      ++sleeps_that_ended_in_a_push;
      inbox.end_sleep();
    }
    inbox.drain_to(queue);
    for (; !queue.empty(); --left) queue.pop();
  }
  for (std::thread& thread : threads) thread.join();
  int all = 0;
  for (int n : wake_ups) all += n;
  EXPECT_EQ(all, sleeps_that_ended_in_a_push);
}

}  // namespace
}  // namespace asyncio::internal
