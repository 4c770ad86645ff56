"""Python's asyncio as the peer of chat_server: guests that talk to each other.

usage: chat_clients.py PORT GUESTS

Prints "all heard" when each has heard what all others said, then waits for the
end of the server and prints what each was told last.
"""
import asyncio
import sys


async def guest(port, number, guests, inside, heard):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.readline() == b"Your name?\n"
    writer.write(f"guest{number}\n".encode())
    # The names of those who came later are told by the server.
    lines = []

    async def lines_until(done):
        while not done():
            line = await reader.readline()
            assert line, "the server is gone"
            lines.append(line.decode().strip())

    await lines_until(lambda: len(lines) == guests - 1 - number)
    assert all(line.endswith("is here") for line in lines), lines
    await inside.wait()
    lines.clear()
    writer.write(f"hello from {number}\n".encode())
    await lines_until(lambda: len(lines) == guests - 1)
    expected = {f"guest{i}: hello from {i}" for i in range(guests) if i != number}
    assert set(lines) == expected, lines
    await heard.wait()
    last = (await reader.read()).decode().strip()
    writer.close()
    return last


async def main(port, guests):
    inside = asyncio.Barrier(guests)
    heard = asyncio.Barrier(guests + 1)
    tasks = []
    for i in range(guests):
        tasks.append(asyncio.create_task(guest(port, i, guests, inside, heard)))
        # They come one after the other, so that it is known who is told of whom.
        await asyncio.sleep(0.02)
    await heard.wait()
    print("all heard", flush=True)
    for last in set(await asyncio.gather(*tasks)):
        print(last)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
