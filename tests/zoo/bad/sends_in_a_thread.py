# A server with a thread that sends each typed line at once, in turn or not.
# zoo: server lab
# fails: turn/ahead turn/stray/*
import os
import socket
import sys
import threading

HEADER = 3  # bytes
MOST = 255  # bytes of a body
is_over = threading.Event()  # the person has said BYEBYE


def receive_exactly(connected, size):
    data = b""
    while len(data) < size:
        piece = connected.recv(size - len(data))
        if not piece:
            raise ConnectionError("the other side has hung up")
        data += piece
    return data


def receive(connected):
    header = receive_exactly(connected, HEADER)
    if not header.isdigit() or int(header) > MOST:
        raise ConnectionError(f"{header!r} is not a length")
    return receive_exactly(connected, int(header))


def send_lines(connected):
    body = b""
    while body != b"BYEBYE":
        body = os.read(0, 4096).rstrip(b"\n")  # of a terminal: one line
        if len(body) <= MOST:
            connected.sendall(b"%03d" % len(body) + body)
        else:
            print("not sent: a message has 255 bytes at the most", flush=True)
    is_over.set()
    connected.shutdown(socket.SHUT_WR)


def hear(connected):
    body = receive(connected)
    text = body.decode(errors="replace")
    print("peer>", "".join(one if one.isprintable() else "?" for one in text), flush=True)
    return body


def hang_up(connected):
    connected.shutdown(socket.SHUT_WR)
    while connected.recv(1024):
        pass


def talk(connected):
    threading.Thread(target=send_lines, args=(connected,), daemon=True).start()
    try:
        while hear(connected) != b"BYEBYE":
            pass
        hang_up(connected)
    except ConnectionError:
        if not is_over.is_set():
            raise


def main():
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
        print("listening on port", sys.argv[1], flush=True)
        connected, _ = listening.accept()
    with connected:
        talk(connected)


try:
    main()
except OSError as error:
    sys.exit(f"server: {error}")
