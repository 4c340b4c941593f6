# A client on the whole screen: it wraps at 60 columns, with "| " in front of each row.
# zoo: client turnchat
# fails: nothing
import os
import select
import socket
import sys
import termios
import tty
from codecs import getincrementaldecoder
from unicodedata import combining, east_asian_width

MOST = 255  # bytes of a body
WIDTH, ROWS = 60, 22
KEYBOARD = 0
shown = []  # rows of the conversation
line = []  # characters that are typed, and not sent


def wrap(text):
    """Return the rows of a text."""
    rows, used = [""], 0
    for char in "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text):
        width = 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1
        if used + width > WIDTH:
            rows.append("")
            used = 0
        rows[-1] += char
        used += width
    return rows


def draw():
    rows = [*shown, *[""] * ROWS][:ROWS] if len(shown) < ROWS else shown[-ROWS:]
    drawn = "".join(f"\x1b[{y};1H\x1b[K{row}" for y, row in enumerate(rows, 1))
    sys.stdout.write(f"{drawn}\x1b[{ROWS + 2};1H\x1b[K> {''.join(line[-70:])}")
    sys.stdout.flush()


def show(text):
    shown.extend(f"| {row}" for row in wrap(text))
    draw()


def edit(keys):
    """Take keys. Return the line that they finish, or None, and the keys behind it."""
    for at, key in enumerate(keys):
        if key in "\r\n":
            text = "".join(line)
            line.clear()
            return text, keys[at + 1 :]
        line[-1:] = [] if key == "\x7f" else [*line[-1:], key]
    draw()
    return None, ""


def next_message(data):
    """Return the message at the beginning, and what is behind it; None for half a message."""
    header = data[:3]
    if header and (not header.isdigit() or int(header) > MOST):
        raise ConnectionError(f"{header!r} is not a length")
    if len(header) < 3 or len(data) < 3 + int(header):
        return None, data
    return data[3 : 3 + int(header)], data[3 + int(header) :]


def talk(server):
    is_ours, data, keys, body = True, b"", "", b""
    decoder = getincrementaldecoder("utf-8")("replace")
    while body != b"BYEBYE":
        while keys and is_ours and body != b"BYEBYE":
            text, keys = edit(keys)
            body = (text or "").encode(errors="replace")
            if len(body) > MOST:
                show(f"not sent: {len(body)} bytes, {MOST} is the most")
            elif text is not None:
                server.sendall(b"%03d" % len(body) + body)
                is_ours = False
        if body == b"BYEBYE":
            break
        ready = select.select([server, KEYBOARD], [], [])[0]
        if KEYBOARD in ready:
            keys += decoder.decode(os.read(KEYBOARD, 4096))
        if server in ready:
            piece = server.recv(4096)
            if not piece or is_ours:
                raise ConnectionError("it spoke out of turn" if piece else "it is gone")
            body, data = next_message(data + piece)
            if body is not None:
                show(f"server: {body.decode(errors='replace')}")
                if data and body != b"BYEBYE":
                    raise ConnectionError("it spoke out of turn")
                is_ours = True


def main():
    saved = termios.tcgetattr(KEYBOARD)
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as server:
            tty.setraw(KEYBOARD, termios.TCSADRAIN)
            sys.stdout.write("\x1b[?1049h\x1b[2J")
            draw()
            talk(server)
            server.shutdown(socket.SHUT_WR)
            while server.recv(4096):
                pass
    except OSError as error:
        return f"the conversation with the server is over: {error}"
    finally:
        termios.tcsetattr(KEYBOARD, termios.TCSADRAIN, saved)
        sys.stdout.write("\x1b[?1049l")
        sys.stdout.flush()
    return None


sys.exit(main())
