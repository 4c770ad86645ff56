#!/usr/bin/env python3
"""asyncio: create_subprocess_exec and wait of /bin/true.

usage: process_python.py COUNT [AT_ONCE]
"""
import asyncio
import sys
import time


async def run_some(count):
    for _ in range(count):
        process = await asyncio.create_subprocess_exec("/bin/true")
        assert await process.wait() == 0


async def main(count, at_once):
    await asyncio.gather(*(run_some(count // at_once)
                           for _ in range(at_once)))


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    total, together = (numbers + [1000, 1][len(numbers):])[:2]
    begin = time.perf_counter_ns()
    asyncio.run(main(total, together))
    print(f"ns={(time.perf_counter_ns() - begin) // total}")
