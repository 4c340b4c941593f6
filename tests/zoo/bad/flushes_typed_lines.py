# A client that sends what was typed ahead when the conversation is over.
# zoo: client lab
# fails: end/silent-after-said end/silent-after-heard

import os
import select
import selectors
import socket
import sys


def send(connected, line):
    connected.sendall(b"%03d" % len(line) + line)


def show(body):
    text = body.decode(errors="replace")
    print("peer>", "".join(c if c.isprintable() else repr(c)[1:-1] for c in text), flush=True)


def talk(connected):
    received, typed, our_turn = b"", b"", True
    selector = selectors.DefaultSelector()
    selector.register(connected, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        while our_turn and b"\n" in typed:
            line, _, typed = typed.partition(b"\n")
            if len(line) > 255:
                print("a message has 255 bytes at the most", flush=True)
                continue
            send(connected, line)
            our_turn = False
            if line == b"BYEBYE":
                return typed
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                typed += os.read(key.fd, 4096)
                continue
            data = connected.recv(4096)
            if not data:
                raise ConnectionError("the peer has hung up")
            if our_turn:
                raise ConnectionError("the peer spoke out of turn")
            received += data
            header = received[:3]
            if not header.isdigit() or (len(header) == 3 and int(header) > 255):
                raise ConnectionError(f"{header} is not a length")
            if len(header) < 3 or len(received) < 3 + int(header):
                continue
            body, received = received[3 : 3 + int(header)], received[3 + int(header) :]
            show(body)
            if body == b"BYEBYE":
                return typed
            if received:
                raise ConnectionError("the peer spoke out of turn")
            our_turn = True


try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connected:
        typed = talk(connected)
        while select.select([sys.stdin], [], [], 0)[0]:
            typed += os.read(sys.stdin.fileno(), 4096)
        for line in typed.splitlines():
            send(connected, line)
except OSError as error:
    sys.exit(f"the conversation is over: {error}")
