# A client with a thread of its own for the keyboard.
# zoo: client turnchat
# fails: loop/threads

import os
import select
import socket
import sys
import threading

MOST = 255
KEYBOARD = 0


def readable(body):
    text = body.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def read_keyboard(lines):
    line = b"-"
    while line:
        line = os.read(KEYBOARD, 4096)  # of a terminal: one line
        lines.send(line)


def say_something(server, typed):
    """Send a typed line. Return it, or None if it could not be sent."""
    line = typed.recv(4096)
    body = line.rstrip(b"\n") if line else b"BYEBYE"
    if len(body) > MOST:
        print(f"not sent: {len(body)} bytes, {MOST} is the most", flush=True)
        return None
    server.sendall(b"%03d%b" % (len(body), body))
    return body


def next_message(data):
    """Return the message that begins the data, and what is behind it; None for half a message."""
    header = data[:3]
    if header and (not header.isdigit() or int(header) > MOST):
        sys.exit(f"the server broke the protocol: {header!r} is not a length")
    if len(header) < 3 or len(data) < 3 + int(header):
        return None, data
    return data[3 : 3 + int(header)], data[3 + int(header) :]


def say_goodbye(server):
    server.shutdown(socket.SHUT_WR)
    while server.recv(4096):
        pass


def talk(server):
    is_ours, data = True, b""
    lines, typed = socket.socketpair(type=socket.SOCK_SEQPACKET)
    threading.Thread(target=read_keyboard, args=(lines,), daemon=True).start()
    while True:
        ready = select.select([server, *([typed] if is_ours else [])], [], [])[0]
        if server in ready:
            piece = server.recv(4096)
            if not piece:
                sys.exit("the server is gone")
            if is_ours:
                sys.exit("the server broke the protocol: it spoke out of turn")
            body, data = next_message(data + piece)
            if body is not None:
                print("server>", readable(body), flush=True)
                if body == b"BYEBYE":
                    return say_goodbye(server)
                if data:
                    sys.exit("the server broke the protocol: it spoke out of turn")
                is_ours = True
        elif typed in ready:
            body = say_something(server, typed)
            is_ours = body is None
            if body == b"BYEBYE":
                return say_goodbye(server)


try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connected:
        talk(connected)
except OSError as error:
    sys.exit(f"cannot talk with the server: {error}")
