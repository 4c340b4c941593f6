"""Hand-ins of a class that is made up: good programs, and programs with one mistake each."""

from collections.abc import Mapping
from typing import NamedTuple

COMMON = """
import socket
import sys


def send(connected, text):
    body = text.encode()
    if len(body) > 255:
        raise ValueError("too long")
    connected.sendall(b"%03d" % len(body) + body)


def receive_exactly(connected, size):
    data = b""
    while len(data) < size:
        piece = connected.recv(size - len(data))
        if not piece:
            raise ConnectionError("the other side has hung up")
        data += piece
    return data


def receive(connected):
    header = receive_exactly(connected, 3)
    if not header.isdigit() or int(header) > 255:
        raise ConnectionError("the length is wrong")
    return receive_exactly(connected, int(header)).decode(errors="backslashreplace")


def say(connected):
    while True:
        try:
            text = input("you> ")
        except EOFError:
            text = "BYEBYE"
        try:
            early = connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            raise ConnectionError("it was out of turn" if early else "the other side has hung up")
        except BlockingIOError:
            pass
        try:
            send(connected, text)
            return text
        except ValueError as error:
            print("not sent:", error)


def hear(connected):
    text = receive(connected)
    print("peer>", "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
    return text

"""
SERVER = """
def main():
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
        print("listening", flush=True)
        while True:
            connected, _ = listening.accept()
            with connected:
                try:
                    while hear(connected) != "BYEBYE" and say(connected) != "BYEBYE":
                        pass
                except OSError as error:
                    print("the conversation is over:", error)


main()
"""
CLIENT = """
def main():
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connected:
            while say(connected) != "BYEBYE" and hear(connected) != "BYEBYE":
                pass
    except OSError as error:
        sys.exit(f"the conversation is over: {error}")


main()
"""
PROGRAMS = {"server": COMMON + SERVER, "client": COMMON + CLIENT}


class Mistake(NamedTuple):
    """A change of a good program, for both roles, and the ids that fall short, as globs."""

    old: str
    new: str
    fails: str


MISTAKES: Mapping[str, Mistake] = {
    "unpadded": Mistake('b"%03d" % len(body)', 'b"%d" % len(body)', "frame/message"),
    "newline": Mistake("% len(body) + body", '% len(body) + body + b"\\n"', "frame/*"),
    "hangs": Mistake("def main():\n", "def main():\n    import time; time.sleep(1000)\n", "*"),
    "dies": Mistake("def main():\n", "def main():\n    1 / 0\n", "*"),
    "endless": Mistake("def main():\n", "def main():\n    while True: print(1)\n", "*"),
}


def program(role: str, student: str, name: str, mistake: str | None = None) -> str:
    """The text of a student's program, with the comment at its top."""
    text = PROGRAMS[role]
    if mistake:
        old, new, _ = MISTAKES[mistake]
        assert old in text
        text = text.replace(old, new)
    return f"# Name: {name}\n# ID: {student}\n{text}"
