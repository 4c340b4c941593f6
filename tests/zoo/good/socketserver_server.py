# A server with socketserver: a class for the conversations, one after the other.
# zoo: server lab
# fails: nothing

import socket
import socketserver
import sys

MOST = 255


def readable(body):
    text = body.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class Conversation(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            self.talk()
        except OSError as error:
            print("the client is gone:", error, flush=True)

    def talk(self):
        while True:
            body = self.receive()
            print("client>", readable(body), flush=True)
            if body == b"BYEBYE":
                return
            body = self.ask_person()
            self.request.sendall(b"%03d%b" % (len(body), body))
            if body == b"BYEBYE":
                return

    def receive(self):
        header = self.receive_exactly(3)
        if not header.isdigit() or int(header) > MOST:
            raise ConnectionError(f"{header!r} is not a length")
        return self.receive_exactly(int(header))

    def receive_exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.request.recv(size - len(data))
            if not piece:
                raise ConnectionError("its stream has ended")
            data += piece
        return data

    def ask_person(self):
        while True:
            try:
                body = input("answer> ").encode()
            except EOFError:
                body = b"BYEBYE"
            self.must_be_silent()
            if len(body) <= MOST:
                return body
            print(f"not sent: {len(body)} bytes, {MOST} is the most", flush=True)

    def must_be_silent(self):
        try:
            data = self.request.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        raise ConnectionError("it spoke out of turn" if data else "its stream has ended")


class Server(socketserver.TCPServer):
    allow_reuse_address = True


with Server(("127.0.0.1", int(sys.argv[1])), Conversation) as server:
    print("listening on port", sys.argv[1], flush=True)
    server.serve_forever()
