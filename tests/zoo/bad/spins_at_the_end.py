# A server that calls recv() again and again when it returns nothing.
# zoo: server lab
# fails: end/hang-up/peers-turn

import socket
import sys


def receive_exactly(connected, size):
    data = b""
    while len(data) < size:
        piece = connected.recv(size - len(data))
        data += piece
    return data


def receive(connected):
    header = receive_exactly(connected, 3)
    if not header.isdigit() or int(header) > 255:
        raise ConnectionError(f"{header} is not a length")
    return receive_exactly(connected, int(header)).decode(errors="replace")


def show(text):
    print("peer>", "".join(c if c.isprintable() else repr(c)[1:-1] for c in text), flush=True)


def send(connected, text):
    body = text.encode()
    connected.sendall(b"%03d" % len(body) + body)


def ask_person(connected):
    while True:
        text = input("you> ")
        if len(text.encode()) <= 255:
            break
        print("a message has 255 bytes at the most")
    try:
        early = connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return text
    raise ConnectionError("the peer spoke out of turn" if early else "the peer has hung up")


def talk(connected, our_turn):
    while True:
        if our_turn:
            text = ask_person(connected)
            send(connected, text)
        else:
            text = receive(connected)
            show(text)
        if text == "BYEBYE":
            return
        our_turn = not our_turn


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    print("listening on port", sys.argv[1], flush=True)
    connected, address = listening.accept()
    with connected:
        try:
            talk(connected, our_turn=False)
        except OSError as error:
            print("the conversation is over:", error)
