# A server with asyncio: one thread, a coroutine for each client, a future for each answer.
# zoo: server turnchat
# fails: nothing

import asyncio
import os
import sys
from collections import deque

MOST = 255
KEYBOARD = 0
waiting = deque()  # futures of answers, the oldest first


def readable(body):
    text = body.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def watch_keyboard():
    """Read the keyboard only while a client waits: the terminal keeps the lines until then."""
    loop = asyncio.get_running_loop()
    if waiting:
        loop.add_reader(KEYBOARD, take_line)
    else:
        loop.remove_reader(KEYBOARD)


def take_line():
    line = os.read(KEYBOARD, 4096)  # of a terminal: one line
    body = line.rstrip(b"\n")
    if not line:
        body = b"BYEBYE"
    if len(body) > MOST:
        print(f"not sent: {len(body)} bytes, {MOST} is the most", flush=True)
        return
    waiting.popleft().set_result(body)
    watch_keyboard()


async def receive(reader):
    header = b""
    while len(header) < 3:
        header += await reader.readexactly(1)
        if not header.isdigit() or int(header) > MOST:
            raise ConnectionError(f"{header!r} is not a length")
    return await reader.readexactly(int(header))


async def answer(reader):
    """Return the person's answer. Raise ConnectionError if the client does not wait for it."""
    answered = asyncio.get_running_loop().create_future()
    waiting.append(answered)
    watch_keyboard()
    early = asyncio.ensure_future(reader.read(1))
    await asyncio.wait({answered, early}, return_when=asyncio.FIRST_COMPLETED)
    if answered.done() and not early.done():
        early.cancel()
        await asyncio.wait({early})
        return answered.result()
    if answered in waiting:
        waiting.remove(answered)
        watch_keyboard()
    raise ConnectionError("it spoke out of turn" if early.result() else "its stream has ended")


async def talk(reader, writer):
    try:
        while True:
            body = await receive(reader)
            print("client>", readable(body), flush=True)
            if body == b"BYEBYE":
                break
            body = await answer(reader)
            writer.write(b"%03d%b" % (len(body), body))
            await writer.drain()
            if body == b"BYEBYE":
                break
        writer.write_eof()
        while await reader.read(4096):
            pass
    except (OSError, asyncio.IncompleteReadError) as error:
        print("a client is gone:", error, flush=True)
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", int(sys.argv[1]))
    print("listening on port", sys.argv[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
