"""Lesson 5: the chat in one loop, which waits for the socket and the keyboard at once.

    python3 -m turnchat.lessons.select_by_hand server [PORT]
    python3 -m turnchat.lessons.select_by_hand client [PORT]

Mends: one_by_one does not notice a hang-up while input() waits. Here select() alone waits, for both
files. The first that is ready is served; lines typed out of turn are queued for the next one.

Teaches: readiness. select() says which file can be read without waiting. One read then takes the
bytes that are there into a buffer, and the buffer shows when a message is whole.

Limit: one client, whose state is in local variables; a second is connected, and never heard. No
prompt, and no bound for typed bytes. Standard input must be a terminal or a pipe, since epoll takes
neither regular files nor /dev/null.

Try this: start the server, and call it from other terminals.

    python3 -m turnchat.lessons.select_by_hand server
    (printf 005hello; sleep 9) | nc -N 127.0.0.1 2322  # hangs up: you are told at once
    printf 005hello | nc 127.0.0.1 2322  # within the nine seconds: is not heard, and cut at the end

Predict: the peer has said nothing yet, and you type two lines. When does each of them leave?
"""

import os
import selectors
import signal
import socket
import sys

PORT = 2322


def not_text(data: bytes) -> bool:
    """Return True if `data` is not UTF-8."""
    return data.decode(errors="ignore").encode() != data


def chat(connected: socket.socket, *, our_turn: bool) -> None:  # noqa: PLR0912 - the whole idea in one function
    """Take turns until one says BYEBYE, or hangs up."""
    received, typed, input_has_ended = b"", b"", False
    selector = selectors.DefaultSelector()
    selector.register(connected, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        if our_turn and (b"\n" in typed or input_has_ended):
            line, _, typed = typed.partition(b"\n") if b"\n" in typed else (b"BYEBYE", b"", b"")
            if len(line) > 255 or not_text(line):
                print("not sent: a message has 255 bytes at the most, of text in UTF-8", flush=True)
                continue
            connected.sendall(b"%03d%b" % (len(line), line))
            our_turn = False
            if line == b"BYEBYE":
                return
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                data = os.read(key.fd, 4096)  # input() would hide further lines in its buffer
                typed += data
                if not data:
                    typed += b"\n" if typed and not typed.endswith(b"\n") else b""
                    selector.unregister(sys.stdin)  # its end stays readable for ever
                    input_has_ended = True
                continue
            data = connected.recv(4096)
            if not data:
                raise ConnectionError("the peer has hung up")
            received += data
            if our_turn:
                raise ConnectionError(f"{data[:16]!r} came out of turn")
            header = received[:3]
            if not header.isdigit() or (len(header) == 3 and int(header) > 255):
                raise ConnectionError(f"{header!r} is not a length")
            if len(header) < 3 or len(received) < 3 + int(header):
                continue  # the rest is still on its way
            body, received = received[3 : 3 + int(header)], received[3 + int(header) :]
            text = body.decode(errors="backslashreplace")
            shown = (one if one.isprintable() else ascii(one)[1:-1] for one in text)
            print("peer>", "".join(shown), flush=True)
            if body == b"BYEBYE":
                return
            if received:
                raise ConnectionError(f"{received[:16]!r} came out of turn")
            our_turn = True


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, here and now
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        port = int(sys.argv[2]) if len(sys.argv) > 2 else PORT
        if role == "client":
            with socket.create_connection(("127.0.0.1", port)) as connected:
                chat(connected, our_turn=True)
        elif role == "server":
            with socket.create_server(("127.0.0.1", port)) as listening:
                print("listening on port", listening.getsockname()[1], flush=True)
                with listening.accept()[0] as connected:
                    chat(connected, our_turn=False)
        else:
            sys.exit("usage: python3 -m turnchat.lessons.select_by_hand server|client [PORT]")
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"select_by_hand: {error}")

# Answer: the first after the peer's first message, the second after its second. Each waits in
# `typed` for its turn.
