#!/usr/bin/env python3
"""CPython's asyncio: core_paths' paths.

usage: tasks_python.py PATH COUNT [SIZE]

It is slower by orders of magnitude; peers/run gives it fewer operations.
"""
import asyncio
import random
import sys
import threading
import time


def clock():
    return time.process_time()


async def identity(value):
    return value


async def await_path(count, size):
    start = clock()
    for i in range(count):
        await identity(i)
    return clock() - start


async def spawn_await(count, size):
    start = clock()
    for i in range(count):
        await asyncio.create_task(identity(i))
    return clock() - start


async def spawn_many(count, size):
    start = clock()
    tasks = [asyncio.create_task(identity(i)) for i in range(count)]
    for task in tasks:
        await task
    return clock() - start


async def yield_path(count, size):
    async def yield_times(times):
        for _ in range(times):
            await asyncio.sleep(0)

    start = clock()
    tasks = [asyncio.create_task(yield_times(count // size))
             for _ in range(size)]
    for task in tasks:
        await task
    return clock() - start


async def cancel(count, size):
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
    await asyncio.sleep(0)
    start = clock()
    for task in tasks:
        task.cancel()
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            pass
    return clock() - start


async def call_later(count, size):
    loop = asyncio.get_running_loop()
    armed = [loop.call_later(3600 + random.random() * 60, int)
             for _ in range(size)]
    start = clock()
    for _ in range(count):
        loop.call_later(60, int).cancel()
    seconds = clock() - start
    for handle in armed:
        handle.cancel()
    return seconds


async def lock(count, size):
    mutex = asyncio.Lock()
    start = clock()
    for _ in range(count):
        await mutex.acquire()
        mutex.release()
    return clock() - start


async def semaphore(count, size):
    mutex = asyncio.Semaphore(1)
    start = clock()
    for _ in range(count):
        await mutex.acquire()
        mutex.release()
    return clock() - start


async def contend(mutex, count, size):
    async def acquire_times(times):
        for _ in range(times):
            await mutex.acquire()
            await asyncio.sleep(0)
            mutex.release()

    start = clock()
    tasks = [asyncio.create_task(acquire_times(count // size))
             for _ in range(size)]
    for task in tasks:
        await task
    return clock() - start


async def lock_contended(count, size):
    return await contend(asyncio.Lock(), count, size)


async def semaphore_contended(count, size):
    return await contend(asyncio.Semaphore(10), count, size)


async def event(count, size):
    left, right = asyncio.Event(), asyncio.Event()

    async def answer():
        for _ in range(count // 2):
            await left.wait()
            left.clear()
            right.set()

    start = clock()
    other = asyncio.create_task(answer())
    for _ in range(count // 2):
        left.set()
        await right.wait()
        right.clear()
    await other
    return clock() - start


async def queue(count, size):
    items = asyncio.Queue(size)

    async def produce():
        for i in range(count):
            await items.put(i)

    start = clock()
    producer = asyncio.create_task(produce())
    for _ in range(count):
        await items.get()
    seconds = clock() - start
    await producer
    return seconds


async def waiters(count, size):
    gate = asyncio.Event()

    async def wait_times(times):
        for _ in range(times):
            await gate.wait()

    tasks = [asyncio.create_task(wait_times(count // size))
             for _ in range(size)]
    await asyncio.sleep(0)
    start = clock()
    for _ in range(count // size):
        gate.set()
        gate.clear()
        await asyncio.sleep(0)
    seconds = clock() - start
    for task in tasks:
        await task
    return seconds


async def queue_items(count, size):
    items = asyncio.Queue()
    for i in range(size):
        items.put_nowait(i)
    start = clock()
    for _ in range(count):
        items.put_nowait(items.get_nowait())
    return clock() - start


async def process(count, size):
    async def run_children():
        for _ in range(count // size):
            child = await asyncio.create_subprocess_exec("/bin/true")
            assert await child.wait() == 0

    start = time.monotonic()
    await asyncio.gather(*(run_children() for _ in range(size)))
    return time.monotonic() - start


async def ping_pong(count, size):
    here, there = asyncio.get_running_loop(), asyncio.new_event_loop()
    over = here.create_future()
    left = count

    def back():
        nonlocal left
        left -= 1
        if left == 0:
            over.set_result(None)
        else:
            there.call_soon_threadsafe(forth)

    def forth():
        here.call_soon_threadsafe(back)

    thread = threading.Thread(target=there.run_forever)
    thread.start()
    start = time.monotonic()
    there.call_soon_threadsafe(forth)
    await over
    seconds = time.monotonic() - start
    there.call_soon_threadsafe(there.stop)
    thread.join()
    return seconds


async def post(count, size):
    loop = asyncio.get_running_loop()
    everything = loop.create_future()
    left = count

    def arrived():
        nonlocal left
        left -= 1
        if left == 0:
            everything.set_result(None)

    def send_all():
        for _ in range(count):
            loop.call_soon_threadsafe(arrived)

    start = time.monotonic()
    thread = threading.Thread(target=send_all)
    thread.start()
    await everything
    seconds = time.monotonic() - start
    thread.join()
    return seconds


PATHS = {"await": await_path, "spawn_await": spawn_await,
         "spawn_many": spawn_many, "yield": yield_path, "cancel": cancel,
         "call_later": call_later, "lock": lock,
         "lock_contended": lock_contended, "semaphore": semaphore,
         "semaphore_contended": semaphore_contended, "event": event,
         "queue": queue,
         "waiters": waiters, "queue_items": queue_items,
         "post": post, "ping_pong": ping_pong, "process": process}


def main():
    path = sys.argv[1]
    count = int(sys.argv[2])
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    if path not in PATHS:
        return 2
    seconds = asyncio.run(PATHS[path](count, size))
    print(f"{path} {count} {size} ns={seconds / count * 1e9:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
