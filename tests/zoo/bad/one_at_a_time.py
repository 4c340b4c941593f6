# A server that accepts a second client only when the first has left.
# zoo: server turnchat
# fails: many/second

import os
import select
import socket
import sys

MOST = 255
KEYBOARD = 0
clients = {}  # socket: the bytes of it that are no whole message yet
waiting = []  # sockets whose message is not answered yet, the oldest first
leaving = set()  # sockets on which BYEBYE was said: read until the stream ends
unsent = {}  # socket: the bytes of its answer that the kernel has not taken yet


def show(*words):
    print(*words, flush=True)


def readable(body):
    text = body.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def forget(client, why):
    show("a client is gone:", why)
    del clients[client]
    leaving.discard(client)
    unsent.pop(client, None)
    if client in waiting:
        waiting.remove(client)
    client.close()


def say_goodbye(client):
    leaving.add(client)
    try:
        client.shutdown(socket.SHUT_WR)
    except OSError as error:
        forget(client, error)


def hear(client):
    try:
        data = client.recv(4096)
    except OSError as error:
        return forget(client, error)
    if not data:
        return forget(client, "half a message" if clients[client] else "its stream has ended")
    if client in waiting:
        return forget(client, "it spoke out of turn")
    if client not in leaving:
        clients[client] += data
        take_message(client)
    return None


def take_message(client):
    """Show a message and let its client wait for the answer, if all of it has come."""
    header = clients[client][:3]
    if not header.isdigit() or int(header) > MOST:
        forget(client, f"{header!r} is not a length")
        return
    end = 3 + int(header)
    if len(header) < 3 or len(clients[client]) < end:
        return  # the rest comes later
    body, rest = clients[client][3:end], clients[client][end:]
    clients[client] = b""
    show("client>", readable(body))
    if body == b"BYEBYE":
        say_goodbye(client)
    elif rest:
        forget(client, "it spoke out of turn")
    else:
        waiting.append(client)


def answer():
    line = os.read(KEYBOARD, 4096)  # of a terminal: one line
    body = line.rstrip(b"\n")
    if not line:
        sys.exit()
    if len(body) > MOST:
        show(f"not sent: {len(body)} bytes, {MOST} is the most")
        return
    client = waiting.pop(0)
    unsent[client] = b"%03d%b" % (len(body), body)
    if body == b"BYEBYE":
        leaving.add(client)
    send(client)


def send(client):
    """Send what the kernel takes now; the rest, when select() calls the client writable."""
    try:
        sent = client.send(unsent[client], socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    except OSError as error:
        forget(client, error)
        return
    unsent[client] = unsent[client][sent:]
    if not unsent[client]:
        del unsent[client]
        if client in leaving:
            say_goodbye(client)


def main():
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listening:
        show("listening on port", sys.argv[1])
        while True:
            watched = [*(clients or [listening]), *([KEYBOARD] if waiting else [])]
            ready, writable, _ = select.select(watched, unsent, [])
            for one in ready:
                if one is listening:
                    clients[listening.accept()[0]] = b""
                elif one in clients:
                    hear(one)
            for one in writable:
                if one in unsent:
                    send(one)
            if KEYBOARD in ready and waiting:
                answer()


main()
