"""The start: a program listens or connects, says so, and starts again on the same port."""

from turnchat.check.case import CLIENT, SERVER, SHOULD, Script, case
from turnchat.check.play import Play
from turnchat.check.report import Fallen, Kind, NotApplicable, Shortfall
from turnchat.check.sockets.ports import is_free, refusing_port
from turnchat.check.steps import (
    Closes,
    Exits,
    HangUp,
    Kill,
    Meet,
    NoCrash,
    Say,
    ShowsAnything,
    Start,
    StopListening,
    Taken,
)
from turnchat.check.steps.program import START_TIMEOUT

SECTION = "Programs"
TRIES = 5  # of a second, for a server to read what its first client sends


@case(
    "start/listens",
    section=SECTION,
    hint="Take the port from the command line, and listen before anything else that takes time: "
    "`socket.create_server(('127.0.0.1', int(sys.argv[1])))`, then `accept()`. In Java "
    "`new ServerSocket(port)`, in Node `server.listen(port)`, in C bind() and listen(). If the "
    "program works when you start it by hand, compare the port that it listens on with {port}.",
    roles=(SERVER,),
    after=(),
)
def listens(play: Play) -> Script:
    """A server listens on its port within 5 seconds of its start."""
    del play
    yield Start()
    yield Meet()


@case(
    "start/connects",
    section=SECTION,
    hint="Take host and port from the command line, and connect before you ask for a line: "
    "`socket.create_connection((sys.argv[1], int(sys.argv[2])))`. A client that calls `input()` "
    "first connects too late. In Java `new Socket(host, port)`, in Node "
    "`net.connect(port, host)`, in C getaddrinfo() and connect().",
    roles=(CLIENT,),
    after=(),
)
def connects(play: Play) -> Script:
    """A client connects to its server within 5 seconds of its start."""
    del play
    yield Start()
    yield Meet()


@case(
    "start/says",
    section=SECTION,
    hint="Once the socket listens, print a line with the port: "
    "`print('listening on port', port, flush=True)`, in C printf() and `fflush(stdout)`. Without "
    "one, nothing tells the person at the terminal that the server is ready.",
    level=SHOULD,
    roles=(SERVER,),
    after=("start/listens",),
)
def says(play: Play) -> Script:
    """A server should say on its terminal that it is ready, before a client has come."""
    del play
    yield Start()
    yield ShowsAnything(START_TIMEOUT)


@case(
    "start/again",
    section=SECTION,
    hint="The side that closes first holds the port for a minute (TIME_WAIT). In Python let "
    "`socket.create_server(address)` do all of it, or call "
    "`s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)` before `s.bind(address)`. In C call "
    "setsockopt() with SO_REUSEADDR before bind(), in Java `setReuseAddress(true)`; Node does so "
    "by itself. With socketserver write `allow_reuse_address = True` into the server's class.",
    roles=(SERVER,),
    after=("start/listens",),
)
def again(play: Play) -> Script:
    """A server sets SO_REUSEADDR: it listens again although an old connection holds its port."""
    yield Start()
    yield Meet()
    yield Say("the-first-client")
    is_read = False
    for _ in range(TRIES):  # a connection with unread bytes would be reset, and hold nothing
        is_read = is_read or (yield Taken())
    # The kernel ends the stream of a program that is killed, so the program closes first, and the
    # old connection stays on its side.
    yield Kill()
    yield Closes(after_anything=True, by_reset=True)
    yield HangUp()
    if is_free(play.port):
        why = "this system keeps none" if is_read else "the program has not read its first message"
        raise NotApplicable(f"no old connection holds the port: {why}")
    play.note("the first server has ended, and its old connection holds the port (TIME_WAIT)")
    yield Start()
    yield MeetAgain()


class MeetAgain(Meet):
    """Be connected with a server that was started again on a port that its old connection has."""

    def fallen(
        self,
        kind: Kind,
        reason: str,
        expected: bytes | None = None,
        received: bytes | None = None,
    ) -> Fallen:
        why = "the program does not set SO_REUSEADDR before bind(), so it cannot listen again"
        return super().fallen(kind, f"{why}: {reason}", expected, received)


@case(
    "start/refused",
    section=SECTION,
    hint="connect() raises ConnectionRefusedError if no server listens. Catch it, say so, and end "
    "with a status that is not 0: `except OSError as error: sys.exit(f'cannot connect: {error}')`. "
    "In Java catch IOException and call `System.exit(1)`. In Node listen for 'error'. In C look at "
    "the value of connect(), call perror(), and return 1.",
    roles=(CLIENT,),
    after=("start/connects",),
)
def refused(play: Play) -> Script:
    """A client that finds no server ends with an error in words, and a status that is not 0."""
    yield StopListening()
    with refusing_port(play.port):
        yield Start()
        status = yield Exits(None, START_TIMEOUT)
    yield NoCrash()
    screen = play.program.screen.text.encode()
    if status == 0:
        reason = "the program found no server and ended with status 0, which means success"
        raise Fallen(Shortfall(Kind.WRONG, reason, received=screen))
    if not screen.strip():
        reason = f"the program ended with status {status} and without a word"
        raise Fallen(Shortfall(Kind.WRONG, reason, received=screen))
