"""The smallest loop of Python over epoll that serves the wire: the bound for a server in Python.

python -m tests.bench.naked

A turn is only what none can do without: epoll_wait(), recv(), a check of the frame, send(). It is
no server to use. It lacks deadlines, a log and limits: an accept() that fails ends it. An answer
that send() takes in part closes the connection. No end is orderly, or has a reason: close() may
destroy what the peer has not read.
"""

import resource
import select
import socket

from turnchat.core.frame import BODY_LIMIT, FRAME_LIMIT, HEADER_SIZE, HEADERS, LENGTH_OF, PREFIXES

BYEBYE = b"006BYEBYE"
BACKLOG = 4096
READY = 256  # events a round


def serve(listening: socket.socket) -> None:
    """Echo each frame, in one function: there is no call that could be left out."""
    poller = select.epoll()
    poller.register(listening, select.EPOLLIN)
    door = listening.fileno()
    sockets: dict[int, socket.socket] = {}
    beginnings: dict[int, bytes] = {}  # of frames
    while True:
        for file, _ in poller.poll(-1, READY):
            if file == door:
                connected, _ = listening.accept()
                connected.setblocking(False)
                sockets[connected.fileno()] = connected
                poller.register(connected, select.EPOLLIN)
                continue
            connected = sockets[file]
            try:
                if data := connected.recv(FRAME_LIMIT + 1):  # the one more is out of turn
                    if file in beginnings:
                        data = beginnings.pop(file) + data
                    size = len(data) - HEADER_SIZE
                    if 0 <= size <= BODY_LIMIT and data[:HEADER_SIZE] == HEADERS[size]:
                        if data != BYEBYE and connected.send(data) == len(data):
                            continue
                    elif data in PREFIXES or LENGTH_OF.get(data[:HEADER_SIZE], size) > size:
                        beginnings[file] = data
                        continue
            except OSError:
                pass  # closed, as after the end of the stream and after a fault
            del sockets[file]
            beginnings.pop(file, None)
            connected.close()  # which takes it out of the poller (epoll(7))


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it
    print("listening on port", listener.getsockname()[1], flush=True)
    serve(listener)
