"""Both programs as a script meets them: on pipes, files and sockets."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import (
    CLIENT,
    PATIENCE,
    SERVER,
    Answering,
    Peer,
    Program,
    catches,
    cpu_seconds,
    status_of,
    waiting_in,
)
from turnchat.core.lines import LINES_AHEAD

Start = Callable[..., Program]


def serve(program: Start, *arguments: str, **how: object) -> tuple[Program, str]:
    """A server that is ready, and its address."""
    server = program(SERVER, *arguments, *([] if has_address(arguments) else ["0"]), **how)
    line = server.line()
    assert line.startswith("* listening on "), line
    return server, line.removeprefix("* listening on ")


def has_address(arguments: tuple[str, ...]) -> bool:
    return any(argument.startswith(("unix:", "[", "localhost")) for argument in arguments)


def run(*command: str, stdin: str | bytes = "", **how: object) -> tuple[int, str, str]:
    """Run a program to its end: its status, and what came on its outputs."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    result = subprocess.run(  # type: ignore[call-overload]
        [sys.executable, *command],
        input=data,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        **how,
    )
    return result.returncode, result.stdout.decode(), result.stderr.decode()


# A script at the client


def test_a_script_says_its_lines_one_a_turn_and_then_byebye(program: Start) -> None:
    server, address = serve(program)
    server.type("hi yourself", "fine", "never sent")
    status, out, err = run(CLIENT, address, stdin="hi\nhow are you\n")
    assert (status, out) == (0, "hi yourself\nfine\n")
    first, last = err.splitlines()
    assert first == f"* connected to {address}; you speak first, BYEBYE ends it"
    assert re.fullmatch(r"\* you said BYEBYE to the server \(5 turns, \d\.\d s\)", last)
    assert server.line_with("connected").startswith("* client 1 connected from 127.0.0.1:")
    assert server.line() == "client 1> hi"
    assert server.line() == "client 1> how are you"
    assert re.fullmatch(r"\* client 1 said BYEBYE \(5 turns, \d\.\d s\)", server.line())


@pytest.mark.parametrize("source", ["file", "/dev/null", "closed"])
def test_any_standard_input_will_do(program: Start, tmp_path: Path, source: str) -> None:
    server, address = serve(program)
    path = tmp_path / "lines"
    path.write_text("one\ntwo")
    server.type("1", "2")
    redirection = {"file": f"< {path}", "/dev/null": "< /dev/null", "closed": "<&-"}[source]
    result = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, CLIENT, address],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 0
    assert result.stdout == (b"1\n2\n" if source == "file" else b"")
    assert b"you said BYEBYE" in result.stderr


def test_byebye_in_the_script_ends_it_there(program: Start) -> None:
    server, address = serve(program)
    server.type("1")
    status, out, err = run(CLIENT, address, stdin="one\nBYEBYE\nthree\n")
    assert (status, out) == (0, "1\n")
    assert "what is left of the input was not sent" in err


def test_the_server_may_say_byebye(program: Start) -> None:
    server, address = serve(program)
    server.type("BYEBYE")
    status, out, err = run(CLIENT, address, stdin="one\ntwo\n")
    assert (status, out) == (0, "")
    assert "* the server said BYEBYE (2 turns" in err
    assert "what is left of the input was not sent" in err


def test_a_message_of_255_octets_passes_and_one_of_256_does_not(program: Start) -> None:
    server, address = serve(program)
    longest = "é" * 127 + "x"
    server.type(longest)
    status, out, err = run(CLIENT, address, stdin=f"{longest}\n{longest}y\n")
    assert (status, out) == (65, f"{longest}\n")
    assert "* line 2 of the input was not sent: the message has 256 bytes, 255 is the most" in err
    assert "you said BYEBYE" in err
    assert server.line_with("client 1>") == f"client 1> {longest}"
    assert "said BYEBYE" in server.line_with("client 1 ")


def test_an_endless_line_is_an_error_with_its_size(program: Start) -> None:
    _, address = serve(program)
    status, out, err = run(CLIENT, address, stdin=b"x" * 3_000_000)
    assert (status, out) == (65, "")
    assert "line 1 of the input was not sent: the message has 3000000 bytes" in err


def test_a_line_that_is_not_utf_8(program: Start) -> None:
    server, address = serve(program)
    server.type("1")
    status, _, err = run(CLIENT, address, stdin=b"fine\ncaf\xe9\nmore\n")
    assert status == 65
    assert "* line 2 of the input was not sent: its byte 4 (0xe9) is not UTF-8" in err


def test_an_empty_line_of_a_script_is_an_empty_message(program: Start) -> None:
    server, address = serve(program)
    server.type("", "end")
    status, out, _ = run(CLIENT, address, stdin="\nlast\n")
    assert (status, out) == (0, "\nend\n")
    assert server.line_with("client 1>") == "client 1> "


def test_carriage_returns_at_the_end_of_lines_are_dropped(program: Start) -> None:
    server, address = serve(program)
    server.type("ok\r")
    status, out, _ = run(CLIENT, address, stdin="dos\r\n")
    assert (status, out) == (0, "ok\n")
    assert server.line_with("client 1>") == "client 1> dos"


def test_received_text_is_shown_escaped(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.say("\x1b[2J\u202etxt\n* the server said BYEBYE")
    assert client.line() == r"\x1b[2J\u202etxt\n* the server said BYEBYE"
    peer.close()


# How a client ends


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, out, err = run(CLIENT, address, stdin="hi\n")
    assert (status, out) == (69, "")
    assert err.splitlines() == [
        "* what is left of the input was not sent",
        f"turnchat-client: cannot reach {address}: Connection refused",
        f"turnchat-client: is a server running there? start it: {SERVER} {address}",
    ]


def test_a_name_that_is_not_known() -> None:
    status, out, err = run(CLIENT, "no-such-host.invalid:1", stdin="hi\n")
    assert (status, out) == (69, "")
    assert err.startswith("turnchat-client: cannot find no-such-host.invalid:1: ")


@pytest.mark.parametrize("arguments", [["a:b:c"], ["--connect-timeout", "-1"], ["--nonsense"]])
def test_usage(arguments: list[str]) -> None:
    for command in CLIENT, SERVER:
        assert run(command, *arguments)[0] == 2


def test_nobody_can_be_reached_at_port_0() -> None:
    status, _, err = run(CLIENT, "localhost:0")
    assert status == 2
    assert "port 0 is for servers" in err


@pytest.mark.parametrize("how", ["hang-up", "reset", "before a turn"])
def test_a_lost_connection(program: Start, how: str) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    if how == "before a turn":
        peer.close()
    else:
        client.type("hello")
        assert peer.hear() == "hello"
        if how == "reset":
            peer.reset()
        else:
            peer.close()
    assert client.wait() == 74
    lost = "the connection to the server was lost: Connection reset by peer"
    words = lost if how == "reset" else "the server hung up"
    assert client.line_with("hung up" if how != "reset" else "lost", "stderr").startswith(
        f"* {words} ("
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"0x5hello", "at byte 1: 'x' is not a digit"),
        (b"999", "at byte 0: a length that begins with 9 is over 255"),
        (b"002ok002no", "at byte 5: '002no' came out of turn"),
    ],
)
def test_a_server_that_breaks_the_protocol(program: Start, data: bytes, words: str) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.send(data)
    assert client.line_with("broke the protocol", "stderr").startswith(
        f"* the server broke the protocol {words}"
    )
    assert peer.hears_the_end()
    peer.close()
    assert client.wait() == 76


def test_a_truncated_frame_breaks_the_protocol(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("hello")
    peer.hear()
    peer.send(b"005he")
    peer.close()
    assert client.wait() == 76
    client.line_with("the stream ended after 2 of the 5 bytes of a message", "stderr")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("turn", ["ours", "theirs"])
def test_an_interrupted_client_says_byebye_if_it_is_its_turn(
    program: Start, number: signal.Signals, turn: str
) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.line_with("connected", "stderr")
    if turn == "theirs":
        client.type("hello")
        assert peer.hear() == "hello"
    client.signal(number)
    assert peer.hear() == ("BYEBYE" if turn == "ours" else "")
    peer.close()
    assert client.wait() == 130


def test_a_second_signal_ends_a_client_that_waits_for_its_peer_to_close(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.line_with("connected", "stderr")
    client.signal(signal.SIGINT)
    assert peer.hear() == "BYEBYE"
    began = time.monotonic()
    client.signal(signal.SIGINT)
    assert client.wait() == 130
    assert time.monotonic() - began < 1.5
    peer.close()


def test_a_client_is_interrupted_while_it_connects(program: Start, tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "socket")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(0)
    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(path)  # now the backlog is full
    client = program(CLIENT, f"unix:{path}")
    while not catches(client.pid, signal.SIGHUP):
        assert client.process.poll() is None
    client.signal(signal.SIGINT)
    assert client.wait() == 130
    waiting.close()
    listening.close()


def test_the_reader_of_its_output_has_gone(program: Start) -> None:
    server, address = serve(program)
    server.type("1", "2", "3", "4")
    reader, writer = os.pipe()
    os.close(reader)
    client = subprocess.Popen(
        [sys.executable, CLIENT, address],
        stdin=subprocess.PIPE,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    _, err = client.communicate(b"a\nb\nc\nd\n", timeout=PATIENCE)
    assert client.returncode == 74
    assert b"* cannot write to standard output: Broken pipe" in err
    assert "said BYEBYE" in server.line_with("BYEBYE")


def test_a_reader_that_takes_its_time_loses_nothing(program: Start, tmp_path: Path) -> None:
    answers = [f"{number:06}" + "x" * 240 for number in range(1000)]
    path = tmp_path / "answers"
    path.write_text("\n".join(answers))
    with path.open() as file:
        _, address = serve(program, stdin=file.fileno())
    client = program(CLIENT, address)
    assert client.process.stdin
    assert client.process.stdout
    client.type(*["?"] * 1001)
    client.end_input()
    while waiting_in(client.process.stdout.fileno()) < 65536 - 4096:
        assert client.process.poll() is None
    assert client.rest() == answers
    assert client.wait() == 0


# The server


def test_a_server_with_a_script_answers_in_order_and_then_quits(program: Start) -> None:
    server, address = serve(program)
    first, second = Peer.to(address), Peer.to(address)
    first.say("I am first")
    server.line_with("client 1> I am first")
    second.say("I am second")
    server.line_with("client 2> I am second")
    server.type("hello first", "hello second")
    assert (first.hear(), second.hear()) == ("hello first", "hello second")
    server.end_input()
    first.say("more?")
    second.say("more?")
    assert (first.hear(), second.hear()) == ("BYEBYE", "BYEBYE")
    assert first.hears_the_end()
    assert second.hears_the_end()
    first.close()
    second.close()
    assert server.wait() == 0


def test_commands_work_in_a_script_each_in_its_place(program: Start) -> None:
    server, address = serve(program)
    peers = [Peer.to(address) for _ in range(3)]
    for number, peer in enumerate(peers, start=1):
        peer.say(f"from {number}")
        server.line_with(f"client {number}> from {number}")
    server.type("/who", "/next", "to two", "//slash", "/bye", "/help", "/quit", "too late")
    assert peers[1].hear() == "to two"
    assert peers[2].hear() == "/slash"
    assert peers[0].hear() == "BYEBYE"
    for number in (1, 2, 3):
        assert "your turn for" in server.line_with(f"* client {number}  127.0.0.1:")
    server.line_with("* /quit ")
    for peer in peers:
        peer.close()
    assert server.wait() == 0


def test_a_command_that_there_is_not_ends_a_script(program: Start) -> None:
    server, address = serve(program)
    peer = Peer.to(address)
    server.type("/dance")
    words = "* line 1 of the input was not sent: /dance is not a command; /help lists"
    server.line_with(words, "stderr")
    peer.say("hello?")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 65


@pytest.mark.parametrize("redirection", ["< /dev/null", "<&-", "< empty", "| true"])
def test_a_server_whom_nobody_can_answer_for_says_so(redirection: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    command = f'true | "$@" {redirection}' if "|" not in redirection else 'true | "$@"'
    result = subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, SERVER, "0"],
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.decode() == "* nobody can answer: standard input ended without a line\n"
    lines = result.stdout.decode().splitlines()
    assert lines[-1] == "* stopping"
    if "|" not in redirection:
        assert len(lines) == 1, "it was not to listen at all"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{taken}"], "Address already in use"),
        (["192.0.2.1:2322"], "Cannot assign requested address"),
        (["unix:/no/such/folder/socket"], "No such file or directory"),
        (["unix:{file}"], "it is not a socket"),
    ],
)
def test_an_address_that_cannot_be_bound(
    program: Start, arguments: list[str], words: str, tmp_path: Path
) -> None:
    file = os.path.relpath(tmp_path / "file")
    Path(file).touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = arguments[0].format(taken=taken.getsockname()[1], file=file)
        server = program(SERVER, address)
        first, second = server.line("stderr"), server.line("stderr")
        assert first.startswith("turnchat-server: cannot listen on ")
        assert words in first
        assert len(second) > len("turnchat-server: ")
        assert server.wait() == 69


@pytest.mark.parametrize("form", ["unix:", "[::1]:0", "localhost:0"])
def test_other_addresses(program: Start, form: str, tmp_path: Path) -> None:
    if form == "unix:":
        form += os.path.relpath(tmp_path / "socket")
    try:
        server, address = serve(program, form)
    except AssertionError:
        if form != "[::1]:0" or socket.has_ipv6:
            raise
        pytest.skip("no IPv6 here")
    server.type("1")
    status, out, _ = run(CLIENT, address, stdin="one\n")
    assert (status, out) == (0, "1\n")
    if form.startswith("unix:"):
        assert server.line_with("connected") == f"* client 1 connected from {form}"
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert not (tmp_path / "socket").exists()


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"006BYEBYE", 0), (b"", 74), (b"005he", 76), (b"x", 76), (b"002hi002ho", 76)],
)
def test_once_serves_one_conversation_and_exits_with_its_status(
    program: Start, data: bytes, status: int
) -> None:
    server, address = serve(program, "--once")
    peer = Peer.to(address)
    server.line_with("connected")
    with pytest.raises(ConnectionRefusedError):
        Peer.to(address)
    peer.send(data)
    peer.close()
    assert server.wait() == status


def test_once_with_a_reset(program: Start) -> None:
    server, address = serve(program, "--once")
    peer = Peer.to(address)
    server.line_with("connected")
    peer.reset()
    assert server.wait() == 74
    server.line_with("client 1 was lost: Connection reset by peer")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_says_byebye_to_each_in_its_turn(program: Start, number: signal.Signals) -> None:
    server, address = serve(program)
    ours, theirs = Peer.to(address), Peer.to(address)
    ours.say("my turn is over")
    server.line_with("client 1>")
    server.signal(number)
    assert ours.hear() == "BYEBYE"
    with pytest.raises(ConnectionRefusedError):
        Peer.to(address)
    theirs.say("wait for me")
    assert theirs.hear() == "BYEBYE"
    for peer in (ours, theirs):
        assert peer.hears_the_end()
        peer.close()
    assert server.wait() == 0


def test_a_silent_client_is_waited_for_no_longer_than_the_drain_timeout(program: Start) -> None:
    server, address = serve(program, "--drain-timeout", "0.2")
    peer = Peer.to(address)
    server.line_with("connected")
    server.signal(signal.SIGTERM)
    assert peer.hears_the_end()
    assert server.wait() == 0
    server.line_with("* you hung up on client 1 (0 turns")
    peer.close()


def test_a_second_signal_closes_at_once(program: Start) -> None:
    server, address = serve(program, "--drain-timeout", "1000")
    peer = Peer.to(address)
    server.line_with("connected")
    server.signal(signal.SIGINT)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    peer.close()


def test_faults_of_some_are_not_noticed_by_another(program: Start) -> None:
    server, address = serve(program)
    good = Peer.to(address)
    server.line_with("client 1 connected")
    for number, data in enumerate([b"xyz", b"256", b"\x1b", b"001a001b", b"00"], start=2):
        bad = Peer.to(address)
        bad.send(data)
        bad.socket.shutdown(socket.SHUT_WR)
        assert bad.hears_the_end()
        bad.close()
        assert "broke the protocol at byte" in server.line_with(f"client {number} broke")
    for _ in range(50):
        Peer.to(address).reset()
    good.say("still there?")
    server.line_with("client 1> still there?")
    server.type("yes")
    assert good.hear() == "yes"
    good.close()


def test_a_pipe_that_nobody_reads_stalls_no_conversation(program: Start) -> None:
    """What waits is bounded; status lines go first, and how many went is said."""
    server, address = serve(program)
    good = Peer.to(address)
    server.line_with("client 1 connected")
    visits = 16_000  # two lines each, of some 45 bytes: more than a pipe and 1 MiB hold
    for _ in range(visits):
        Peer.to(address).reset()
    good.say("hello")
    server.type("hi")
    assert good.hear() == "hi"
    assert int(status_of(server.pid, "VmRSS")) < 60_000
    good.close()
    server.signal(signal.SIGTERM)
    lines = server.rest()
    assert "client 1> hello" in lines
    (dropped,) = [line for line in lines if "dropped here" in line]
    # Not every visitor is accepted: some are gone before there is room in the backlog.
    visitors = max(int(line.split()[2]) for line in lines if line.startswith("* client ")) - 1
    in_use = ["hello", "hung up", "stopping"]
    assert len(lines) - 1 + int(dropped.split()[1]) == 2 * visitors + len(in_use)


def test_three_pasted_lines_are_three_messages(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("one", "two", "three")
    for word in ("one", "two", "three"):
        assert peer.hear() == word
        peer.say("go on")
    client.end_input()
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.wait() == 0


def test_both_programs_run_as_one_thread_and_cost_nothing_while_idle(program: Start) -> None:
    server, address = serve(program)
    client = program(CLIENT, address)
    client.type("hello")
    server.line_with("client 1> hello")
    silent = Peer.to(address)
    waiting = Peer.to(address)
    waiting.say("I listen")
    server.line_with("client 3> I listen")
    for one in (server, client):
        assert status_of(one.pid, "Threads") == "1"
    before = cpu_seconds(server.pid) + cpu_seconds(client.pid)
    began = time.monotonic()
    signalled = signal.sigtimedwait([], 1.0)  # a second of nothing is what is measured
    assert signalled is None
    used = cpu_seconds(server.pid) + cpu_seconds(client.pid) - before
    print(json.dumps({"idle for": time.monotonic() - began, "CPU": used}))
    assert used <= 0.02
    silent.close()
    waiting.close()


# Odd surroundings


def test_a_named_pipe_with_many_lines_is_read_to_its_end(program: Start, tmp_path: Path) -> None:
    answering = Answering()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fifo_text = "".join(f"{number}\n" for number in range(2 * LINES_AHEAD))
    fifo.write_text(fifo_text)
    client = program(CLIENT, answering.address, stdin=reader)
    os.close(reader)
    peer = answering.accept()
    for number in range(2 * LINES_AHEAD):
        assert peer.hear() == str(number)
        peer.say("")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.wait() == 0


@pytest.mark.parametrize("command", [SERVER, CLIENT])
def test_a_name_that_no_host_can_have(command: str) -> None:
    status, out, err = run(command, "x" * 64 + ".example", stdin="hi\n")
    assert (status, out) == (69, "")
    assert f"cannot find {'x' * 64}.example:2322: " in err


def test_timeouts_may_be_longer_than_a_selector_can_sleep(program: Start) -> None:
    server, address = serve(program, "--drain-timeout", "1e15")
    peer = Peer.to(address)
    status, _, _ = run(CLIENT, "--connect-timeout", "1e15", address, stdin="BYEBYE\n")
    assert status == 0
    server.signal(signal.SIGTERM)
    peer.say("hello")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0


def test_a_script_that_quits_at_once_leaves_no_file(tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "socket")
    status, out, err = run(SERVER, f"unix:{path}", stdin="/quit\n")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "* stopping"
    assert not os.path.lexists(path)


def test_a_server_that_cannot_show_anything_stops(program: Start) -> None:
    with open("/dev/full", "w") as full:
        server = program(SERVER, "0", stdout=full)
    assert server.line("stderr") == "* cannot write to standard output: No space left on device"
    assert server.wait() == 74


def test_the_exit_status_does_not_need_a_standard_error() -> None:
    result = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, CLIENT, "unix:/no/such/socket"],
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 69


def test_many_signals_change_no_status(program: Start) -> None:
    server, address = serve(program)
    peer = Peer.to(address)
    server.line_with("connected")
    while server.process.poll() is None:
        server.signal(signal.SIGTERM)
    assert server.wait() == 0
    peer.close()


def test_a_terminal_that_closes_may_say_so_twice(program: Start) -> None:
    """The kernel sends SIGHUP, and the shell too: the second is no order to hurry."""
    server, address = serve(program)
    peer = Peer.to(address)
    server.line_with("connected")
    server.signal(signal.SIGHUP)
    server.line_with("stopping")
    server.signal(signal.SIGHUP)
    server.signal(signal.SIGHUP)
    peer.say("hello")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0


def test_a_status_line_cannot_act_on_a_terminal(program: Start, tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "evil\x1b[2Jname")
    server = program(SERVER, f"unix:{path}")
    assert server.line() == f"* listening on unix:{path.replace(chr(27), chr(92) + 'x1b')}"
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
