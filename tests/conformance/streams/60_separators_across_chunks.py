# PINS: readuntil finds a separator that is cut in two, the shortest message of several separators, and leaves what is over the limit; each method refuses while another task reads | SOURCE: src:streams.StreamReader.readuntil; src:streams.StreamReader._wait_for_data | LEVEL: impl
import asyncio

async def main():
    connected = asyncio.get_running_loop().create_future()

    async def handle(reader, writer):
        connected.set_result(writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16)
    peer = await connected

    async def send(data):
        peer.write(data)
        await peer.drain()
        await asyncio.sleep(0.02)

    async def overrun():
        try:
            await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as e:
            print(e, e.consumed)
        try:
            await reader.readline()
        except ValueError as e:
            print(e)

    await send(b"abc\r")
    cut = asyncio.create_task(reader.readuntil(b"\r\n"))
    await asyncio.sleep(0.02)
    print(cut.done())
    await send(b"\nde")
    print(len(await cut), (await reader.readexactly(2)).decode())
    await send(b"one;two\nthree")
    print((await reader.readuntil((b"\n", b";"))).decode(), (await reader.readuntil((b";", b"\n"))).decode().strip())
    await send(b"-" * 20)
    await overrun()
    await send(b"-" * 18 + b"\nrest")
    await overrun()
    print((await reader.readexactly(4)).decode())
    waiting = asyncio.create_task(reader.readexactly(5))
    await asyncio.sleep(0)
    for read in (lambda: reader.read(1), reader.readline, lambda: reader.readexactly(1), reader.read):
        try:
            await read()
        except RuntimeError as e:
            print(e)
    await send(b"ab")
    waiting.cancel()
    try:
        await waiting
    except asyncio.CancelledError:
        print("cancelled")
    await send(b"cd")
    peer.write_eof()
    try:
        await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as e:
        print(e, e.partial.decode())
    try:
        await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as e:
        print(e)
    writer.close()
    peer.close()
    server.close()

asyncio.run(main())
