"""The exit status of a client in a script: lines that were not sent, and signals."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.peer import Answering
from tests.support.process import CLIENT, Start, run, serve, waiting_in
from tests.support.sampling import sampled

PIPE_SIZE = 65536  # bytes, of Linux: pipe(7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\ntwo\n", "1 line of the input was not sent"),
        ("one\ntwo\nthree", "2 lines of the input were not sent"),
        ("one\n\n\n\n", "3 lines of the input were not sent"),
        ("one\n" + "more\n" * 5000, "at least "),
    ],
)
def test_lines_that_are_left_when_the_server_leaves_are_an_error(
    program: Start, text: str, words: str
) -> None:
    server, address = serve(program)
    server.type("BYEBYE")
    status, out, err = run(CLIENT, address, stdin=text)
    assert (status, out) == (74, "")
    assert any(line.startswith(f"* {words}") for line in err.splitlines()), err


@pytest.mark.parametrize("text", ["one", "one\n", "one\r\n"])
def test_no_line_is_left_by_an_empty_rest(program: Start, text: str) -> None:
    server, address = serve(program)
    server.type("BYEBYE")
    status, _, err = run(CLIENT, address, stdin=text)
    assert status == 0
    assert "not sent" not in err


def test_a_file_is_counted_to_its_end(program: Start, tmp_path: Path) -> None:
    server, address = serve(program)
    server.type("BYEBYE")
    (tmp_path / "lines").write_text("one\n" + "more\n" * 100)
    with (tmp_path / "lines").open() as file:
        client = program(CLIENT, address, stdin=file.fileno())
        client.line_with("* 100 lines of the input were not sent", "stderr")
        assert client.wait() == 74


def test_an_open_pipe_is_counted_as_far_as_it_was_written(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("one", "two", "three")
    assert peer.hear() == "one"
    peer.say("BYEBYE")
    peer.close()
    assert client.line_with("not sent", "stderr") == "* at least 2 lines of the input were not sent"
    assert client.wait() == 74


def test_an_open_pipe_without_lines_is_no_error(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("one")
    assert peer.hear() == "one"
    peer.say("BYEBYE")
    peer.close()
    assert client.wait() == 0
    assert not [line for line in client.rest("stderr") if "not sent" in line]


@pytest.mark.slow
def test_another_failure_keeps_its_status(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("one", "two")
    client.end_input()
    assert peer.hear() == "one"
    peer.send(b"999")
    assert client.line_with("not sent", "stderr") == "* 1 line of the input was not sent"
    peer.close()
    assert client.wait() == 76


def test_a_refused_line_keeps_its_status_and_the_lines_after_it_are_counted(
    program: Start,
) -> None:
    _, address = serve(program)
    status, _, err = run(CLIENT, address, stdin=b"caf\xe9\ntwo\nthree\n")
    assert status == 65
    assert "* 2 more lines of the input were not sent" in err.splitlines()


@pytest.mark.slow
def test_an_interrupted_client_with_lines_left_keeps_its_status(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("one", "two")
    client.end_input()
    assert peer.hear() == "one"
    client.signal(signal.SIGINT)
    assert client.line_with("not sent", "stderr") == "* 1 line of the input was not sent"
    peer.close()
    assert client.wait() == 130


@pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], every=3))
@pytest.mark.parametrize("leaver", ["server", "client"])
def test_a_client_is_interrupted_while_its_output_is_not_read(
    program: Start, pipe: tuple[int, int], number: signal.Signals, leaver: str
) -> None:
    os.write(pipe[1], bytes(PIPE_SIZE))
    answering = Answering()
    client = program(CLIENT, answering.address, stdout=pipe[1])
    peer = answering.accept()
    client.type("one")
    assert peer.hear() == "one"
    if leaver == "client":
        client.end_input()
        peer.say("an answer")
        assert peer.hear() == "BYEBYE"
    else:
        peer.say("an answer")
        client.type("two")
        assert peer.hear() == "two"
        peer.say("BYEBYE")
    client.line_with("said BYEBYE", "stderr")
    assert peer.hears_the_end()
    peer.close()
    assert waiting_in(pipe[0]) == PIPE_SIZE, "the client is still to write its answer"
    client.signal(number)
    assert client.wait() == 130


def test_one_signal_ends_a_conversation_whose_output_is_not_read(
    program: Start, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], bytes(PIPE_SIZE))
    answering = Answering()
    client = program(CLIENT, answering.address, stdout=pipe[1])
    peer = answering.accept()
    client.type("one")
    assert peer.hear() == "one"
    peer.say("an answer")
    client.type("two")
    assert peer.hear() == "two", "it has the answer, and cannot write it"
    peer.say("another answer")
    client.signal(signal.SIGTERM)
    assert peer.hear() in ("BYEBYE", "")  # the signal may come before the answer
    peer.close()
    assert client.wait() == 130
