"""Both programs where nobody sits: echoes, programs, the log, the transcript, limits."""

import json
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
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
    cpu_seconds,
    descriptors_of,
    status_of,
    wait_until,
)

Start = Callable[..., Program]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
DOUBLE = "import sys\nfor line in sys.stdin: print(line.rstrip() * 2)"


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def serve(program: Start, *arguments: str, **how: object) -> tuple[Program, str]:
    """A server that nobody sits at, and its address."""
    address = () if "unix:" in arguments[-1] else ("0",)
    how = {"stdin": subprocess.DEVNULL, **how}
    server = program(SERVER, *arguments, *address, **how)
    line = server.line("stderr")
    assert re.match(rf"{TIME} \* listening on ", line), line
    return server, line.rpartition(" ")[2]


def stop(server: Program) -> list[str]:
    """Stop a server in good order: the rest of its log, without the times."""
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    return [re.sub(rf"^{TIME} ", "", line) for line in server.rest("stderr")]


def talk(address: str, *messages: str) -> list[str]:
    """Say messages, and then BYEBYE: the answers."""
    peer = Peer.to(address)
    answers = []
    for message in messages:
        peer.say(message)
        answers.append(peer.hear())
    peer.say("BYEBYE")
    assert peer.hears_the_end()
    peer.close()
    return answers


# The echo and the log


@pytest.mark.parametrize("stdin", ["/dev/null", "closed"])
def test_an_echo_needs_nobody(stdin: str) -> None:
    redirection = "<&-" if stdin == "closed" else "< /dev/null"
    server = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, SERVER, "--echo", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stderr
    address = server.stderr.readline().decode().strip().rpartition(" ")[2]
    assert talk(address, "hello", "", "你好 😀", "x" * 255) == ["hello", "", "你好 😀", "x" * 255]
    server.terminate()
    out, _ = server.communicate(timeout=PATIENCE)
    assert (server.returncode, out) == (0, b"")


def test_the_log_has_a_line_at_each_start_and_end(program: Start) -> None:
    server, address = serve(program, "--echo")
    talk(address, "hello")
    peer = Peer.to(address)
    peer.send(b"nonsense")
    assert peer.hears_the_end()
    peer.close()
    log = stop(server)
    assert re.fullmatch(r"\* client 1 connected from 127\.0\.0\.1:\d+", log[0])
    assert re.fullmatch(r"\* client 1 said BYEBYE \(3 turns, \d\.\d s\)", log[1])
    assert re.fullmatch(r"\* client 2 connected from 127\.0\.0\.1:\d+", log[2])
    assert log[3].startswith("* client 2 broke the protocol at byte 0: 'n' is not a digit")
    assert log[4:] == ["* stopping"]


def test_quiet_keeps_only_where_it_listens_and_errors(program: Start) -> None:
    server, address = serve(program, "-q", "--exec", python("input() and exit(3)"))
    assert talk(address) == []
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert stop(server) == ["* the program for client 2 exited with status 3"]


def test_verbose_adds_the_length_of_each_message(program: Start) -> None:
    server, address = serve(program, "-v", "--echo")
    talk(address, "你好")
    log = stop(server)
    assert log[1:4] == [
        "* client 1 says 6 bytes (turn 1)",
        "* client 1 gets 6 bytes (turn 2)",
        "* client 1 says 6 bytes (turn 3)",
    ]


@pytest.mark.parametrize("verbose", [False, True])
def test_health_checks_do_not_fill_the_log(program: Start, verbose: bool) -> None:
    """Who comes and goes without a byte is a detail."""
    server, address = serve(program, "--echo", *(["-v"] if verbose else []))
    for _ in range(100):
        Peer.to(address).reset()
        Peer.to(address).close()
    talk(address, "hello")
    log = stop(server)
    visits = [line for line in log if "hung up" in line or "was lost" in line]
    assert len(visits) > 100 if verbose else not visits
    connected = sum("connected from" in line for line in log)
    assert connected > 100 if verbose else connected == 1


def test_a_log_that_nobody_reads_stalls_nobody(program: Start) -> None:
    """What waits is bounded, and how many lines were dropped is said when somebody reads."""
    talkative = """
        import sys
        for line in sys.stdin:
            sys.stderr.write(("x" * 1000 + "\\n") * 100)
            print(line.strip())
    """
    server, address = serve(program, "--exec", python(textwrap.dedent(talkative)))
    peers = [Peer.to(address) for _ in range(15)]  # since each alone is held back
    for number in range(2):  # some 2 MB of log
        for peer in peers:
            peer.say(str(number))
        for peer in peers:
            assert peer.hear() == str(number)
    assert int(status_of(server.pid, "VmRSS")) < 60_000
    for peer in peers:
        peer.close()
    server.signal(signal.SIGTERM)
    log = "\n".join(server.rest("stderr"))
    assert server.wait() == 0
    assert "lines dropped here: the reader was too slow" in log


def test_the_end_of_whoever_reads_the_log_is_no_end_of_the_server(program: Start) -> None:
    server, address = serve(program, "--echo")
    assert server.process.stderr
    server.process.stderr.close()
    assert talk(address, "one") == ["one"]
    assert talk(address, "two") == ["two"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_once_with_an_echo(program: Start) -> None:
    server, address = serve(program, "--once", "--echo")
    assert talk(address, "hello") == ["hello"]
    assert server.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--echo", "--exec", "cat"], "either --echo answers or --exec does"),
        (["--exec-pty"], "--exec-pty and --exec-env say how to --exec COMMAND"),
        (
            ["--exec", "cat", "--exec-env", "A=B"],
            "argument --exec: 'A=B' is not the name of an environment variable",
        ),
        (
            ["--exec", "no-such-program"],
            "argument --exec: 'no-such-program' is not a program that can be run",
        ),
        (["--exec", "'"], 'argument --exec: "\'" cannot be split into words'),
        (["--max-conversations", "0"], "'0' is not a number, 1 or more"),
        (["--max-per-address", "٣"], "'٣' is not a number, 1 or more"),
        (["--idle-timeout", "nan"], "'nan' is not a number of seconds"),
        (["-q", "-v"], "not allowed with argument"),
    ],
)
def test_usage(arguments: list[str], words: str) -> None:
    result = subprocess.run(
        [sys.executable, SERVER, *arguments, "0"],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 2
    assert words in result.stderr.decode()


# Half-close


@pytest.mark.parametrize(
    "answerer", [["--echo"], ["--exec", "cat"], ["--exec", "cat", "--exec-pty"]]
)
def test_a_peer_that_half_closes_gets_its_answer(program: Start, answerer: list[str]) -> None:
    server, address = serve(program, *answerer)
    for _ in range(20):
        peer = Peer.to(address)
        peer.say("hello")
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.hear() == "hello"
        assert peer.hears_the_end()
        peer.close()
    stop(server)


def test_netcat(program: Start) -> None:
    server, address = serve(program, "--echo")
    host, _, port = address.partition(":")
    try:
        result = subprocess.run(
            ["nc", "-N", host, port],
            input=b"005hello",
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("no netcat here: install netcat-openbsd")
    assert result.stdout == b"005hello"
    stop(server)


# Programs


def test_a_program_answers_each_conversation(program: Start) -> None:
    server, address = serve(program, "--exec", python(DOUBLE))
    first, second = Peer.to(address), Peer.to(address)
    first.say("one")
    second.say("two")
    assert (second.hear(), first.hear()) == ("twotwo", "oneone")
    first.say("BYEBYE")
    second.say("again")
    assert second.hear() == "againagain"
    first.close()
    second.close()
    log = stop(server)
    assert "* the program for client 1 exited with status 0" in log
    assert "* the program for client 2 exited with status 0" in log


def test_two_programs_talk_with_each_other(program: Start) -> None:
    counts = "print(1, flush=True)\nwhile True: print(int(input()) + 1)"
    ends = "while (number := int(input())) < 100: print(number + 1)\nprint('BYEBYE')\ninput()"
    server, address = serve(program, "--once", "--exec", python(ends))
    client = program(CLIENT, "--exec", python(counts), address, stdin=subprocess.DEVNULL)
    assert client.wait() == 0
    assert server.wait() == 0
    log = client.rest("stderr")
    assert any("* the server said BYEBYE (102 turns" in line for line in log), log
    assert client.rest() == []


def test_a_client_whose_program_ends(program: Start) -> None:
    _, address = serve(program, "--echo")
    client = program(CLIENT, "--exec", "echo hello", address, stdin=subprocess.DEVNULL)
    assert client.wait() == 0
    log = "\n".join(client.rest("stderr"))
    assert "* the program prints no more" in log
    assert "* you said BYEBYE to the server (3 turns" in log


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("signals", [1, 2])
def test_no_process_is_left_when_the_server_stops(program: Start, signals: int) -> None:
    """After a second signal the program is not even given the time to end by itself."""
    stubborn = """
import os, signal
signal.signal(signal.SIGTERM, lambda *_: os.write(2, b"SIGTERM\\n"))
print(os.getpid())
while True: signal.pause()
"""
    server, address = serve(program, "--drain-timeout", "0.2", "--exec", python(stubborn))
    peers = [Peer.to(address) for _ in range(3)]
    pids = []
    for peer in peers:
        peer.say("hello")
        pids.append(int(peer.hear()))
    assert sorted(children_of(server.pid)) == sorted(pids)
    server.signal(signal.SIGTERM)
    server.line_with("stopping", "stderr")
    if signals == 2:
        server.signal(signal.SIGTERM)
    log = "\n".join(server.rest("stderr"))
    assert server.wait() == 0
    assert log.count(": SIGTERM") == (3 if signals == 1 else 0)
    assert log.count("was ended by SIGKILL") == 3
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_program_has_its_time_also_when_the_drain_timeout_is_short(program: Start) -> None:
    saves = "import select, sys\nfor line in sys.stdin: print(line)\n"
    saves += 'select.select([], [], [], 0.5)\nprint("saved", file=sys.stderr)'
    server, address = serve(program, "--drain-timeout", "0.2", "--exec", python(saves))
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    peer.close()
    assert "* the program for client 1: saved" in stop(server)


def test_a_client_whose_program_cannot_be_started(program: Start, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("#!/no/such/interpreter\n")
    bad.chmod(0o700)
    _, address = serve(program, "--echo")
    client = program(CLIENT, "--exec", str(bad), address, stdin=subprocess.DEVNULL)
    assert client.wait() == 71
    log = client.rest("stderr")
    assert log[-1].endswith("* nobody can talk here: No such file or directory")
    assert not any("Traceback" in line for line in log)


def test_programs_that_outlive_their_conversations_count_too(program: Start) -> None:
    stubborn = "sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'"
    server, address = serve(program, "--max-conversations", "2", "--exec", stubborn)
    most = 0
    for _ in range(3):
        peer = Peer.to(address)
        peer.say("BYEBYE")
        peer.socket.shutdown(socket.SHUT_WR)
        most = max(most, len(children_of(server.pid)))
        peer.close()
    server.line_with("newcomers have to wait: 2 conversations at a time", "stderr")
    most = max(most, len(children_of(server.pid)))
    assert 1 <= most <= 2
    server.line_with("client 3 said BYEBYE", "stderr")  # as soon as a program has gone
    server.signal(signal.SIGTERM)
    server.line_with("stopping", "stderr")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_no_zombie_is_left_while_the_server_runs(program: Start) -> None:
    server, address = serve(program, "--exec", "cat")
    for _ in range(20):
        assert talk(address, "hello") == ["hello"]
    wait_until(lambda: not children_of(server.pid))
    stop(server)


def test_programs_when_descriptors_run_out(program: Start) -> None:
    """Who can't be answered is turned away, and the others go on."""
    server, address = serve(program, "--exec", "cat")
    limit = len(descriptors_of(server.pid)) + 12
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
    good = Peer.to(address)
    good.say("hello")
    assert good.hear() == "hello"
    in_use = [Peer.to(address) for _ in range(6)]
    server.line_with("turned away, nobody can answer: Too many open files", "stderr")
    good.say("still there?")
    assert good.hear() == "still there?"
    for peer in (good, *in_use):
        peer.close()
    wait_until(lambda: is_served(address))  # those who are gone are passed over first
    stop(server)


def is_served(address: str) -> bool:
    try:
        return talk(address, "again") == ["again"]
    except ConnectionError:
        return False


# The transcript


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_transcript_has_a_line_for_each_message(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_text('{"before": 1}\n')
    server, address = serve(program, "--echo", "--transcript", str(path))
    peer = Peer.to(address)
    peer.say("你好\n")
    assert peer.hear() == "你好\n"
    peer.send(b"002\xff!")
    peer.receive(5)
    port = peer.socket.getsockname()[1]
    peer.say("BYEBYE")
    peer.close()
    stop(server)
    before, *lines = entries(path)
    assert before == {"before": 1}
    for line in lines:
        assert re.fullmatch(rf"{TIME}\.\d{{3}}\+00:00", str(line.pop("time")))
        assert line.pop("conversation") == 1
        assert line.pop("peer") == f"127.0.0.1:{port}"
    assert lines == [
        {"direction": "heard", "turn": 1, "text": "你好\n"},
        {"direction": "said", "turn": 2, "text": "你好\n"},
        {"direction": "heard", "turn": 3, "text": "\\xff!", "octets": "ff21"},
        {"direction": "said", "turn": 4, "text": "\\xff!", "octets": "ff21"},
        {"direction": "heard", "turn": 5, "text": "BYEBYE"},
    ]


def test_the_transcript_survives_kill_9(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    server, address = serve(program, "--echo", "--transcript", str(path))
    peer = Peer.to(address)
    for number in range(100):
        peer.say(str(number))
        assert peer.hear() == str(number)
    server.signal(signal.SIGKILL)
    server.wait()
    texts = [line["text"] for line in entries(path)]
    assert texts == [str(number) for number in range(100) for _ in range(2)]
    peer.close()


def test_a_full_disk_stops_no_conversation_and_is_said_once(program: Start) -> None:
    server, address = serve(program, "--echo", "--transcript", "/dev/full")
    assert talk(address, "one", "two") == ["one", "two"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 74
    said = [line for line in server.rest("stderr") if "TRANSCRIPT" in line]
    assert len(said) == 1
    assert said[0].endswith("THE TRANSCRIPT /dev/full IS NOT COMPLETE: No space left on device")


@pytest.mark.parametrize("command", [SERVER, CLIENT])
def test_a_transcript_that_cannot_be_opened(command: str) -> None:
    result = subprocess.run(
        [sys.executable, command, "--transcript", "/no/such/folder/file", "4000"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 73
    assert b"cannot write the transcript /no/such/folder/file: No such file" in result.stderr


def test_people_have_transcripts_too(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    answering = Answering()
    client = program(CLIENT, "--transcript", str(path), answering.address)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.say("BYEBYE")
    peer.close()
    assert client.wait() == 0
    assert [(line["direction"], line["text"]) for line in entries(path)] == [
        ("said", "hello"),
        ("heard", "BYEBYE"),
    ]


# Limits


def test_more_than_the_limit_wait_in_the_backlog(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-conversations", "2")
    first, second, third = (Peer.to(address) for _ in range(3))
    for peer in (third, second, first):
        peer.say("hello")
    assert (first.hear(), second.hear()) == ("hello", "hello")
    server.line_with("* newcomers have to wait: 2 conversations at a time", "stderr")
    before = cpu_seconds(server.pid)
    assert signal.sigtimedwait([], 0.5) is None  # half a second in which nothing is to happen
    assert cpu_seconds(server.pid) - before <= 0.02
    first.say("BYEBYE")
    first.close()
    assert third.hear() == "hello"
    second.close()
    third.close()
    stop(server)


def test_a_full_house_is_no_news_while_nobody_waits(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-conversations", "1")
    before = descriptors_of(server.pid)
    for _ in range(5):
        assert talk(address, "hello") == ["hello"]
        wait_until(lambda: descriptors_of(server.pid) == before)
    assert not [line for line in stop(server) if "have to wait" in line]


def test_more_than_the_limit_of_one_address_are_refused(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-per-address", "2")
    first, second = Peer.to(address), Peer.to(address)
    for peer in (first, second):
        peer.say("hello")
        assert peer.hear() == "hello"
    for _ in range(50):
        third = Peer.to(address)
        assert third.hears_the_end()
        third.close()
    first.say("BYEBYE")
    assert first.hears_the_end()
    first.close()
    wait_until(lambda: is_served(address))
    second.close()
    refusals = [line for line in stop(server) if "refused" in line]
    assert (
        refusals[0] == "* 127.0.0.1 has 2 conversations already: newcomers from there are refused"
    )
    assert len(refusals) <= 2


def test_out_of_descriptors_nobody_is_lost_and_nothing_spins(program: Start) -> None:
    server, address = serve(program, "--echo")
    limit = max(descriptors_of(server.pid)) + 1 + 3
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
    peers = [Peer.to(address) for _ in range(8)]
    for number, peer in enumerate(peers):
        peer.say(f"hello {number}")
    for number in range(3):
        assert peers[number].hear() == f"hello {number}"
    server.line_with("newcomers have to wait: Too many open files", "stderr")
    before = cpu_seconds(server.pid)
    assert signal.sigtimedwait([], 0.5) is None  # half a second in which nothing is to happen
    assert cpu_seconds(server.pid) - before <= 0.02
    for number, peer in enumerate(peers):
        if number >= 3:
            assert peer.hear() == f"hello {number}"
        peer.close()
    log = stop(server)
    assert not [line for line in log if "have to wait" in line]


@pytest.mark.parametrize(
    ("option", "data", "words"),
    [
        ("--idle-timeout", b"002hi", "said nothing for 0.2 s"),
        ("--frame-timeout", b"002h", "left a message incomplete for 0.2 s"),
    ],
)
def test_a_peer_that_takes_too_long(program: Start, option: str, data: bytes, words: str) -> None:
    server, address = serve(program, "--echo", option, "0.2")
    peer = Peer.to(address)
    peer.send(data)
    if data == b"002hi":
        assert peer.hear() == "hi"
    assert peer.hears_the_end()
    peer.close()
    server.line_with(f"* client 1 {words} (", "stderr")
    stop(server)
