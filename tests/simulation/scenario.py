"""The events of a simulated world, and the rules that must hold in it.

A server, one to four clients, and now and then a peer that misbehaves. Everybody's temper, and what
befalls them, follows from the seed. A system call of the server, or of the clients, may fail as
well: then the conversation that is hit may end before its time, and no other.
"""

from collections.abc import Callable
from functools import partial

from tests.simulation.faults import Fault, Faults
from tests.simulation.sockets import SimListener, SimSocket, Violation
from tests.simulation.strangers import MISBEHAVIOURS
from tests.simulation.world import Process, World
from tests.support.logs import collected_log
from turnchat.chat.admission.limits import Limits
from turnchat.chat.client import Client
from turnchat.chat.server import Server
from turnchat.chat.transcript import Transcript
from turnchat.core.connection import Cause, CloseReason, Connection, Label, Responder, Timeouts
from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import FRAME_LIMIT, RemoteProtocolError, encode, parse
from turnchat.net.address import Endpoint
from turnchat.responders.echo import Echo
from turnchat.trace.events import Sink

PATIENCE = Timeouts(idle=60.0, frame=10.0)


STOP = 500.0  # seconds until the server is stopped; all clients must have left by themselves


LONGEST = 520.0  # seconds until everything must have ended


DRAIN = 5.0


# Seconds that a newcomer waits at most where there is room: a pause for each error in a row.
LONGEST_WAIT = 6.0


BYEBYE_CAUSES = {Cause.BYEBYE_SENT, Cause.BYEBYE_RECEIVED}


class Record:
    """The messages that one end has sent and received: an observer of its conversation."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    def __call__(self, number: int, is_ours: bool, body: bytes) -> None:
        (self.sent if is_ours else self.received).append(body)
        if len(self.sent) + len(self.received) != number:
            raise Violation("a turn is not counted")


class Records(Transcript):
    """A transcript that keeps a Record of each conversation."""

    def __init__(self) -> None:
        self.of: dict[Label, Record] = {}

    def observer(self, label: Label) -> Record:
        return self.of.setdefault(label, Record())


class Talker:
    """A responder that says what the seed says, and notes everything."""

    def __init__(
        self,
        world: World,
        process: Process,
        connection: Connection,
        record: Record,
        messages: int,
    ) -> None:
        self.connection = connection
        self.record = record
        self.is_automatic = world.chance(0.8)  # as a program is, and a person is not
        self.reason: CloseReason | None = None
        self._world = world
        self._left = messages
        self._is_asked = False  # and has not answered yet
        self._later = process.loop.timer("talker", self._send)

    def note_message(self, body: bytes) -> None:
        """See that a message may come now."""
        if self.reason:
            raise Violation("a message is heard after the end")
        if self._is_asked:
            raise Violation("a message is heard in our own turn")

    def on_message(self, body: bytes) -> None:
        self.note_message(body)
        if self.connection.is_open:
            self.on_turn()

    def on_turn(self) -> None:
        if self._is_asked:
            raise Violation("the turn comes twice")
        self._is_asked = True
        if self._world.chance(0.7):
            self._send()
        else:
            self._later.start(self._world.random.choice((0.0, 0.01, 3.0)))

    def on_end(self, reason: CloseReason) -> None:
        if self.reason:
            raise Violation("the end is told twice")
        self.reason = reason
        self._later.cancel()

    def _send(self) -> None:
        random = self._world.random
        self._is_asked = False
        self._left -= 1
        if self._left < 0:
            body = BYEBYE
        else:
            body = random.randbytes(random.choice((0, 1, 6, 17, 254, 255)))
        self.connection.send(body)


class EchoedTalker(Echo):
    """The real echo, which a talker watches without saying anything."""

    def __init__(self, talker: Talker) -> None:
        super().__init__(talker.connection)
        self._talker = talker

    def on_message(self, body: bytes) -> None:
        super().on_message(body)
        self._talker.note_message(body)

    def on_end(self, reason: CloseReason) -> None:
        super().on_end(reason)
        self._talker.on_end(reason)


class Scenario:
    """One seed's story."""

    def __init__(
        self,
        seed: int,
        record: Callable[[str], Sink] | None = None,
        *,
        fault: Fault | None = None,
        saves_rounds: bool = False,
    ) -> None:
        """`record`: gives a sink for what each process does, by its name.

        `saves_rounds`: leave out those that only begin a sleep. A recording has them.
        """
        self.world = world = World(seed, record, saves_rounds=saves_rounds)
        random = world.random
        self.talkers: dict[SimSocket, Talker] = {}
        self.faults = Faults(fault) if fault else None
        self._talkers_of: dict[Process, list[tuple[SimSocket, Talker]]] = {}
        logger, self.log = collected_log("server")
        shows_arrivals = world.chance(0.5)
        self.process = Process(world, "server", random.choice((1000, 1000, 1000, 3, 5)))
        self._has_room = self.process.most_descriptors >= 1000
        if fault and fault.role == "server":
            self.process.faults = self.faults
        limits = Limits(
            random.choice((1000, 1000, 1000, 2)),
            random.choice((None, None, None, 1)),
            PATIENCE,
            DRAIN,
        )
        self.records = Records()
        self.server = Server(
            self.process.loop,
            logger,
            limits,
            shows_arrivals=shows_arrivals,
            transcript=self.records,
        )
        self.listener = SimListener(self.process)
        # True while nothing happens for which a conversation could end before its time.
        is_roomy = limits == Limits(timeouts=PATIENCE, drain=DRAIN)
        self.is_calm = world.speed == "fast" and is_roomy
        self.limits = limits
        self.clients: list[tuple[Client, Process]] = []
        self.clients_logger, self.clients_log = collected_log("clients")
        self.server.start(self.process.listening(self.listener), self._answer)
        for number in range(random.choice((1, 2, 2, 3, 5))):
            self._add_client(number)
        for misbehave in random.sample(MISBEHAVIOURS, random.choice((0, 0, 1, 2))):
            world.at(world.delay(), partial(self._add_stranger, misbehave))
        if world.chance(0.2):
            self._befall(self.process, self.server.interrupt)
        if world.chance(0.2):
            self._befall(self.process, self._reset_one)
        world.at(STOP, self._check_that_all_have_left)
        self.process.at(STOP, self.server.stop)

    def run(self) -> None:
        """Let it happen, and see that what must hold does."""
        self.world.run(self._check, LONGEST)
        self._check_that_nothing_is_left()
        for socket, talker in self.talkers.items():
            self._check_conversation(socket, talker)

    def must_go_well(self, end: SimSocket) -> bool:
        """True if nothing has happened for which this conversation could end before its time."""
        return self.is_calm and not (self.faults and {end, end.other} & self.faults.disturbed)

    def _befall(self, process: Process, callback: Callable[[], object]) -> None:
        """Let something happen that is not to be expected, in the first seconds."""

        def befall() -> None:
            self.is_calm = False
            callback()

        process.at(3 * self.world.random.random(), befall)

    def _add_client(self, number: int) -> None:
        world = self.world
        process = Process(world, f"client {number}")
        if self.faults and self.faults.fault.role == "client":
            process.faults = self.faults

        records = Records()

        def answer(connection: Connection) -> Talker:
            return self._talker(process, connection, records, world.random.randint(0, 4))

        client = Client(process.loop, self.clients_logger, transcript=records)
        endpoint = Endpoint(SimListener.family, self.listener.address)
        self.clients.append((client, process))
        process.at(
            world.delay(),
            partial(client.start, [endpoint] * 3, 10.0, answer, make_socket=process.make_socket),
        )
        if world.chance(0.1):
            self._befall(process, client.interrupt)

    def _answer(self, connection: Connection) -> Responder:
        messages = 20 if self.world.chance(0.8) else 1
        talker = self._talker(self.process, connection, self.records, messages)
        return EchoedTalker(talker) if self.world.chance(0.2) else talker

    def _talker(
        self, process: Process, connection: Connection, records: Records, messages: int
    ) -> Talker:
        record = records.observer(connection.label)
        talker = Talker(self.world, process, connection, record, messages)
        self.talkers[process.latest] = talker
        self._talkers_of.setdefault(process, []).append((process.latest, talker))
        return talker

    def _add_stranger(self, misbehave: "Callable[[Scenario, SimSocket], None]") -> None:
        stranger = SimSocket(self.world, None)
        stranger.connect_ex(self.listener.address)
        self.world.at(self.world.now + 1.5, lambda: misbehave(self, stranger))

    def _reset_one(self) -> None:
        if ends := [end for end in self.talkers if not end.has_closed]:
            end = self.world.random.choice(ends)
            end.be_reset()
            end.peer.be_reset()

    # What must hold

    def _check(self, process: Process) -> None:
        """After each round of a process: the bounds."""
        if process is self.process:
            self._check_server()
        ended = []
        for place, (socket, talker) in enumerate(self._talkers_of.get(process, ())):
            sizes = talker.connection.statistics()
            if sizes["unsent"] > FRAME_LIMIT or sizes["unparsed"] >= FRAME_LIMIT:
                raise Violation(f"too many bytes wait: {sizes}")
            if socket.has_closed:
                ended.append(place)
        for place in reversed(ended):
            del self._talkers_of[process][place]
        process.check_timers()

    def _check_server(self) -> None:
        number = self.server.statistics()["connections"]
        if number > self.limits.conversations or number > (self.limits.per_address or number):
            raise Violation(f"{number} conversations at a time")
        if self.listener.is_readable() and self.is_calm and self._has_room:
            repeated = self.faults.fault.times if self.faults else 0
            waited = self.world.now - self.listener.waits_since
            if waited > LONGEST_WAIT + repeated:
                raise Violation(f"a newcomer has waited for {waited:g} s: the listener is deaf")

    def _check_that_all_have_left(self) -> None:
        if self.listener.is_readable() or self.server.connections:
            raise Violation(f"{self.server.connections or 'the backlog'} has been left waiting")

    def _check_that_nothing_is_left(self) -> None:
        for process in (self.process, *(process for _, process in self.clients)):
            if process.open:
                raise Violation(f"{process.name} has not ended: {process.open}")
            process.loop.close()
        if any(self.server.statistics().values()):
            raise Violation(f"the server keeps what has ended: {self.server.statistics()}")
        lines = self.log.lines
        begun = [line for line in lines if " connected from " in line]
        ended = [line for line in lines if line.endswith(" s)")]
        if len(begun) != len(ended):
            raise Violation(f"{len(begun)} conversations begun, {len(ended)} ended")
        lines = self.log.lines + self.clients_log.lines
        if any("defect" in line for line in lines):
            raise Violation("\n".join(lines))

    def _check_conversation(self, socket: SimSocket, talker: Talker) -> None:
        if talker.reason is None:
            raise Violation("a conversation has not been reported as ended")
        other = self.talkers.get(socket.peer)
        _check_turns(socket, is_client=socket.process is not self.process)
        record = talker.record
        sent = b"".join(data for end, data in socket.history if end is socket)
        if not b"".join(map(encode, record.sent)).startswith(sent):
            raise Violation("what was sent is not what was said")
        if other is None:
            return
        said = other.record.sent
        if record.received != said[: len(record.received)]:
            raise Violation("what was heard is not what was said")
        if not self.must_go_well(socket):
            return
        if talker.reason.cause not in BYEBYE_CAUSES:
            raise Violation(f"ended by {talker.reason} on a calm day")
        if record.received != said:
            raise Violation("a message was lost")


def _check_turns(ours: SimSocket, *, is_client: bool) -> None:
    """That this end began a frame only in its turn, by what both ends sent, in order."""
    data = {True: b"", False: b""}
    frames = {True: 0, False: 0}
    for end, piece in ours.history:
        is_ours = end is ours
        if is_ours and not data[True] and frames[True] > frames[False] + is_client - 1:
            raise Violation(f"a frame was begun out of turn: {frames} {piece!r}")
        data[is_ours] += piece
        while True:
            try:
                body = parse(data[is_ours])
            except RemoteProtocolError as fault:
                if is_ours:
                    raise Violation(f"a bad frame was sent: {fault}") from fault
                body = None
            if body is None:
                break
            frames[is_ours] += 1
            data[is_ours] = data[is_ours][3 + len(body) :]
