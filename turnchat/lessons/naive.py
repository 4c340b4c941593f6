r"""The opposite of a lesson: the chat as one writes it at first. Do not copy it.

    python3 -m turnchat.lessons.naive server [PORT]
    python3 -m turnchat.lessons.naive client [PORT]

It works on one machine, with short messages. The comments number its five mistakes:

1. Header and body leave in two sends. The second waits until the first is acknowledged, and the
   other side delays that by some 40 ms, in the hope of an answer to send with it.
2. recv(n) is expected to return n bytes. After a header in two pieces, all is out of step.
3. Turns are not checked. A message that comes too early passes for the answer to the next one.
4. A message is printed raw. It may move the cursor, or imitate other lines.
5. Lengths are not checked. 1000 bytes give a header of four digits, and all is out of step.

Try this: make each mistake. Start the server again for each, and answer it from the keyboard.

    python3 -m turnchat.lessons.naive server
    (printf 00; sleep 1; printf 5hello) | nc 127.0.0.1 2322  # 2: an empty message, then the end
    printf 002hi003yes | nc 127.0.0.1 2322  # 3: yes comes before you have asked anything
    printf '019hi\rpeer> I give up ' | nc 127.0.0.1 2322  # 4: hi cannot be seen
    printf '%01000d\n' 5 | python3 -m turnchat.lessons.naive client  # 5: 100 are shown at the most

    printf '%s\n' {1..99} | python3 -m turnchat.lessons.naive server
    printf '%s\n' {1..10} BYEBYE | python3 -m turnchat.lessons.naive client  # 1: takes a second

Predict: which of the mistakes does a test find that talks with itself, as the last two lines do?
"""

import signal
import socket
import sys

PORT = 2322


def send(connected: socket.socket, text: str) -> None:
    """Send a message in two pieces."""
    body = text.encode()
    connected.sendall(b"%03d" % len(body))  # 1, 5
    connected.sendall(body)


def receive(connected: socket.socket) -> str:
    """Return the next message, if recv() returns it in just these two pieces."""
    header = connected.recv(3)  # 2
    if not header:
        sys.exit("the peer has hung up")
    return connected.recv(int(header)).decode() if int(header) else ""  # 2


def talk(connected: socket.socket, our_turn: bool) -> None:
    """Take turns, and trust the peer to do so too."""
    text = ""
    while text != "BYEBYE":
        if our_turn:
            text = input("you> ")
            send(connected, text)
        else:
            text = receive(connected)  # 3
            print("peer>", text, flush=True)  # 4
        our_turn = not our_turn


def connect(role: str, port: int) -> socket.socket:
    """Return the socket of a server's only client, or that of a client."""
    if role == "client":
        return socket.create_connection(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as listening:
        print("listening on port", listening.getsockname()[1], flush=True)
        return listening.accept()[0]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, here and now
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    if role not in ("server", "client"):
        sys.exit("usage: python3 -m turnchat.lessons.naive server|client [PORT]")
    try:
        with connect(role, int(sys.argv[2]) if len(sys.argv) > 2 else PORT) as connected:
            talk(connected, our_turn=role == "client")
    except (EOFError, OSError, OverflowError) as error:
        sys.exit(f"naive: {error}")
    except ValueError as error:
        sys.exit(f"naive: out of step, by mistake 2 or 5? {error}")

# Answer: the first alone, and only by a clock. Both sides make the same mistakes, the messages are
# short, and the machine is one: that is how such programs pass their tests.
