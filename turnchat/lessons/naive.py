"""Not a lesson of the road, but its opposite: the chat as one writes it at first. Do not copy it.

    python3 -m turnchat.lessons.naive server [PORT]
    python3 -m turnchat.lessons.naive client [PORT]

It works, mostly: both ends on one machine, short messages, and people who take their time. Five
mistakes wait in it for the first real network:

1. Header and body leave in two sends. The second waits until the first has been acknowledged, and
   the other side delays its acknowledgement (some 40 ms) in the hope of an answer to send it with.
2. recv(n) is taken to give n bytes. It gives what is there. If a header comes in two pieces, half
   of it is taken for the whole, and everything after that is out of step.
3. Nobody checks whose turn it is: what came too early is taken for the answer to what follows.
4. What a peer sends is shown as it is. It may move the cursor, or imitate other lines.
5. Nobody checks the length. Of 1000 bytes the header has four digits, and all is out of step.

The comments number the places. length_prefix, one_by_one and turnchat show what is right.
"""

import socket
import sys

PORT = 2322


def send(connected: socket.socket, text: str) -> None:
    """Send a message, in two pieces."""
    body = text.encode()
    connected.sendall(b"%03d" % len(body))  # 1, 5
    connected.sendall(body)


def receive(connected: socket.socket) -> str:
    """The next message, if the network feels like it."""
    header = connected.recv(3)  # 2
    if not header:
        sys.exit("the peer has hung up")
    return connected.recv(int(header)).decode() if int(header) else ""  # 2


def talk(connected: socket.socket, our_turn: bool) -> None:
    """Take turns, as far as the peer does."""
    text = ""
    while text != "BYEBYE":
        if our_turn:
            text = input("you> ")
            send(connected, text)
        else:
            text = receive(connected)  # 3
            print("peer>", text, flush=True)  # 4
        our_turn = not our_turn


if __name__ == "__main__":
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    port = int(sys.argv[2]) if len(sys.argv) > 2 else PORT
    if role == "server":
        with socket.create_server(("127.0.0.1", port)) as listening:
            print("listening on port", listening.getsockname()[1], flush=True)
            with listening.accept()[0] as connected:
                talk(connected, our_turn=False)
    elif role == "client":
        with socket.create_connection(("127.0.0.1", port)) as connected:
            talk(connected, our_turn=True)
    else:
        sys.exit("usage: python3 -m turnchat.lessons.naive server|client [PORT]")
