"""Python's asyncio as the peer of echo_server: many clients at once.

usage: echo_clients.py PORT CLIENTS
"""
import asyncio
import sys


async def talk(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for size in (0, 1, 1000, 60000):
        line = f"{number}:".encode() + b"x" * size + b"\n"
        writer.write(line)
        await writer.drain()
        assert await reader.readline() == line
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def main(port, clients):
    await asyncio.gather(*[talk(port, i) for i in range(clients)])
    print("all served")


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
