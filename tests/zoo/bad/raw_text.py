# A client that prints what a stranger sent, with all escape sequences in it.
# zoo: client lab
# fails: text/controls text/escapes text/nul text/overrides

import socket
import sys


def receive_exactly(connected, size):
    data = b""
    while len(data) < size:
        piece = connected.recv(size - len(data))
        if not piece:
            raise ConnectionError("the peer has hung up")
        data += piece
    return data


def receive(connected):
    header = receive_exactly(connected, 3)
    if not header.isdigit() or int(header) > 255:
        raise ConnectionError(f"{header} is not a length")
    return receive_exactly(connected, int(header)).decode(errors="replace")


def show(text):
    print("peer>", text, flush=True)


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


try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connected:
        talk(connected, our_turn=True)
except OSError as error:
    sys.exit(f"the conversation is over: {error}")
