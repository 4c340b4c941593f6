# A client with a line editor of its own: Enter, Backspace and Ctrl-D are all that it knows.
# zoo: client lab
# fails: nothing
import socket
import sys
import termios
import tty

MOST = 255  # bytes of a body
KEYBOARD = 0


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
    if not header.isdigit() or int(header) > MOST:
        raise ConnectionError(f"{header!r} is not a length")
    return receive_exactly(connected, int(header))


def must_be_silent(connected):
    try:
        data = connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    raise ConnectionError("bytes out of turn" if data else "the other side has hung up")


def edit_line():
    """Return a line that fits: until then, Enter leaves it to be made shorter."""
    line = ""
    while True:
        print(f"\r\x1b[Kyou> {line[-70:]}", end="", flush=True)
        key = sys.stdin.read(1)
        if key in ("\x04", ""):
            return "BYEBYE"
        if key in "\r\n":
            if len(line.encode(errors="replace")) <= MOST:
                print(flush=True)
                return line
            print("\na message has 255 bytes at the most", flush=True)
        else:
            line = line[:-1] if key == "\x7f" else line + key


def speak(connected):
    saved = termios.tcgetattr(KEYBOARD)
    tty.setcbreak(KEYBOARD, termios.TCSADRAIN)
    try:
        text = edit_line()
    finally:
        termios.tcsetattr(KEYBOARD, termios.TCSADRAIN, saved)
    must_be_silent(connected)
    body = text.encode(errors="replace")
    connected.sendall(b"%03d" % len(body) + body)
    return body


def hear(connected):
    body = receive(connected)
    text = body.decode(errors="replace")
    print("peer>", "".join(one if one.isprintable() else "?" for one in text), flush=True)
    return body


try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connected:
        while speak(connected) != b"BYEBYE" and hear(connected) != b"BYEBYE":
            pass
except OSError as error:
    sys.exit(f"client: {error}")
