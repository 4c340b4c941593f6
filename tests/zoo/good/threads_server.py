# A server with a thread for each client, and a lock for the keyboard that they share.
# zoo: server lab
# fails: nothing

import socket
import sys
import threading

MOST = 255
keyboard = threading.Lock()


def readable(body):
    text = body.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def receive_exactly(client, size):
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            raise ConnectionError("its stream has ended")
        data += piece
    return data


def receive(client):
    header = receive_exactly(client, 3)
    if not header.isdigit() or int(header) > MOST:
        raise ConnectionError(f"{header!r} is not a length")
    return receive_exactly(client, int(header))


def must_be_silent(client):
    try:
        data = client.recv(1, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    raise ConnectionError("it spoke out of turn" if data else "its stream has ended")


def ask_person(client):
    with keyboard:
        while True:
            try:
                body = input("answer> ").encode()
            except EOFError:
                body = b"BYEBYE"
            must_be_silent(client)
            if len(body) <= MOST:
                return body
            print(f"not sent: {len(body)} bytes, {MOST} is the most", flush=True)


def talk(client):
    with client:
        try:
            while True:
                body = receive(client)
                print("client>", readable(body), flush=True)
                if body == b"BYEBYE":
                    return
                body = ask_person(client)
                client.sendall(b"%03d%b" % (len(body), body))
                if body == b"BYEBYE":
                    return
        except OSError as error:
            print("a client is gone:", error, flush=True)


def main():
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listening:
        print("listening on port", sys.argv[1], flush=True)
        while True:
            client, _ = listening.accept()
            threading.Thread(target=talk, args=(client,), daemon=True).start()


main()
