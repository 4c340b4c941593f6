"""A recording as text."""

import os
import tracemalloc
from contextlib import closing

from tests.support import run_rounds
from tests.support.recording import OPENED, Student, event, recording_of
from turnchat.process.stdio import PrivateStream, Stream
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.live import Text, lines, tracer

VISITORS = 2000


def test_text_shows_names_and_not_numbers() -> None:
    with closing(Student()) as student:
        student.watch()
        student.peer.sendall(b"005he")
        student.rounds(1, lambda: student.ours.recv(259))
        recording = recording_of(list(student.events))
    shown = [line.split(maxsplit=1)[1].strip() for line in lines(recording.events, colour=False)]
    assert shown == [
        "peer            register(to read)",
        "select(0 s)",
        "woken by peer (r)",
        'peer            recv(259) → 5 bytes "005he"'
        "                       frame: 2 of 5 bytes of the body, their turn",
    ]


def test_bytes_of_a_peer_cannot_move_the_cursor() -> None:
    text = Text(colour=False)
    shown = "".join(
        text.line(one)
        for one in [
            *OPENED,
            event("recv", file=1, size=259, octets="004\x1b[2J"),
            event("send", file=1, octets='003\x9b"\n', sent=6),
            event("name", file=1, name="\x1b[2J\n"),
            event("shutdown", file=1),
        ]
    )
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert shown.count("\n") == 4


def test_a_closed_file_is_forgotten() -> None:
    text = Text(colour=False, forgets=True)
    for one in [
        *OPENED,
        event("unregister", file=1),
        event("close", file=1),
        event("dispatch", file=1),  # it was ready, too
    ]:
        assert text.line(one) or one["call"] in ("open", "dispatch")
    assert text.files
    assert text.line(event("select", timeout=None, deadline=None))
    assert not text.files
    assert text.line(event("select", timeout=None, deadline=None))


def test_a_trace_does_not_grow_by_files_that_come_and_go(pipe: tuple[int, int]) -> None:
    backend = RecordingBackend(tracer(lambda _text: None, colour=False))

    def visit(number: int) -> None:
        """Watch a file that is not wrapped, as that of a process is, and one that is."""
        watcher = recorded.watcher(Stream(pipe[0]), f"process {number}")
        watcher.when_readable(lambda: None)
        watcher.unregister()
        stream = backend.wrap_stream(PrivateStream(os.dup(pipe[1])), f"output of process {number}")
        stream.close()
        run_rounds(recorded)

    with closing(backend.loop()) as recorded:
        for number in range(100):  # caches are full then
            visit(number)
        tracemalloc.start()
        try:
            for number in range(100, VISITORS):
                visit(number)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert grown / VISITORS < 50  # bytes
