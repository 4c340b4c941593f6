# A server that forks for each client: it works, with a process for each where one would do.
# zoo: server turnchat
# fails: loop/processes loop/threads

import os
import select
import signal
import socket
import sys

MOST = 255
KEYBOARD = 0


def readable(body):
    text = body.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def type_answer(client):
    """Return the next typed line, unless the client leaves or speaks before."""
    while True:
        ready = select.select([client, KEYBOARD], [], [])[0]
        if client in ready:
            raise ConnectionError("it spoke out of turn" if client.recv(1) else "it has left")
        try:
            line = os.read(KEYBOARD, 4096)
        except BlockingIOError:
            continue  # another process was faster
        body = line.rstrip(b"\n") if line else b"BYEBYE"
        if len(body) <= MOST:
            return body
        print(f"not sent: {len(body)} bytes, {MOST} is the most", flush=True)


def receive(client):
    data = b""
    while len(data) < 3 or len(data) < 3 + int(data[:3]):
        piece = client.recv(4096)
        if not piece:
            raise ConnectionError("its stream has ended")
        data += piece
        if not data[:3].isdigit() or int(data[:3]) > MOST:
            raise ConnectionError(f"{data[:3]!r} is not a length")
    body, rest = data[3 : 3 + int(data[:3])], data[3 + int(data[:3]) :]
    print("client>", readable(body), flush=True)
    if rest and body != b"BYEBYE":
        raise ConnectionError("it spoke out of turn")
    return body


def talk(client):
    try:
        while receive(client) != b"BYEBYE":
            body = type_answer(client)
            client.sendall(b"%03d%b" % (len(body), body))
            if body == b"BYEBYE":
                break
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass
    except OSError as error:
        print("a client is gone:", error, flush=True)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets the children that exit
    os.set_blocking(KEYBOARD, False)
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listening:
        print("listening on port", sys.argv[1], flush=True)
        while True:
            client, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                talk(client)
                os._exit(0)
            client.close()


main()
