// A producer and a consumer with a queue between them.
//
//   bazel run //examples:producer_consumer
//
// What is seen: the producer is the faster one, so it is stopped by the queue,
// which holds two items, and goes on at the consumer's pace, an item a second.
// At the end it shuts the queue down; the consumer takes what is left, and then
// its get() throws QueueShutDown.
#include <iostream>

#include "asyncio/asyncio.h"
#include "asyncio/examples/time_flags.h"

using asyncio::Coroutine;
using asyncio::Duration;
using asyncio::Queue;
using asyncio::Task;

Coroutine<> produce(Queue<int>& queue) {
  for (int item = 1; item <= 5; ++item) {
    co_await queue.put(item);
    std::cout << "put " << item << ", " << queue.qsize() << " waiting"
              << std::endl;
  }
  queue.shutdown();
}

Coroutine<> consume(Queue<int>& queue, Duration second) {
  try {
    for (;;) {
      const int item = co_await queue.get();
      co_await asyncio::sleep(second);  // the work
      std::cout << "    done with " << item << std::endl;
    }
  } catch (const asyncio::QueueShutDown&) {
    std::cout << "    nothing left to do" << std::endl;
  }
}

Coroutine<> amain(Duration second) {
  Queue<int> queue(2);
  Task<> consumer = asyncio::create_task(consume(queue, second));
  Task<> producer = asyncio::create_task(produce(queue));
  co_await producer;
  co_await consumer;
}

int main(int argc, char** argv) {
  const examples::TimeFlags time(argc, argv);
  asyncio::run(amain(time.second), {.loop_factory = time.loop_factory});
}
