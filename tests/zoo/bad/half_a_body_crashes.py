# A client that crashes if the stream ends inside a body.
# zoo: client lab
# fails: end/in-body
import socket
import sys

HEADER = 3  # bytes
MOST = 255  # bytes of a body


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
    body = b""
    while piece := connected.recv(int(header) - len(body)):
        body += piece
    assert len(body) == int(header)
    return body


def must_be_silent(connected):
    try:
        data = connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    raise ConnectionError("bytes out of turn" if data else "the other side has hung up")


def speak(connected):
    while True:
        try:
            text = input("you> ")
        except EOFError:
            text = "BYEBYE"
        body = text.encode(errors="replace")
        if len(body) <= MOST:
            break
        print("not sent: a message has 255 bytes at the most")
    must_be_silent(connected)
    connected.sendall(b"%03d" % len(body) + body)
    return body


def hear(connected):
    body = receive(connected)
    text = body.decode(errors="replace")
    print("peer>", "".join(one if one.isprintable() else "?" for one in text))
    return body


def hang_up(connected):
    connected.shutdown(socket.SHUT_WR)
    while connected.recv(1024):
        pass


def talk(connected):
    while True:
        if speak(connected) == b"BYEBYE" or hear(connected) == b"BYEBYE":
            hang_up(connected)
            return


def main():
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connected:
        print("connected", flush=True)
        talk(connected)


try:
    main()
except OSError as error:
    sys.exit(f"client: {error}")
