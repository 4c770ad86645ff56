#!/usr/bin/env python3
"""CPython's asyncio: the echo server, on its streams.

usage: echo_python.py [accept]
"""
import asyncio
import sys


async def hang_up(_, writer):
    writer.close()


async def serve(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(
        hang_up if sys.argv[1:] == ["accept"] else serve, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    try:
        async with asyncio.timeout(600):
            await server.serve_forever()
    except TimeoutError:
        pass


asyncio.run(main())
