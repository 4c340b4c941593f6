"""turnchat-replay --pcap: the file that it writes, and what it prints."""

import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.capture import ACCEPTED, OPENED, OTHER_PORT, tshark
from tests.support.recording import EXAMPLES, REPLAY, event, text_of
from tests.support.tools import needs


def replay(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, REPLAY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@needs("tshark")
def test_the_program_says_how_to_open_the_capture(tmp_path: Path) -> None:
    recording, made = tmp_path / "some.jsonl", tmp_path / "a chat.pcapng"
    events = list(ACCEPTED)
    for number, port in enumerate((OTHER_PORT, 2322), start=3):
        ends = {"peer": f"192.0.2.7:{number}", "local": f"192.0.2.1:{port}"}
        events.append(event("open", 1, file=number, kind="connection", name=""))
        events.append(event("accept", 1, file=1, new=number, **ends))
    recording.write_text(text_of(*events, event("end", 2)))
    recording.chmod(0o600)
    result = replay(recording, "--pcap", made)
    assert (result.returncode, result.stderr) == (0, "")
    assert made.stat().st_mode & 0o777 == 0o600
    told, command, *options, path = shlex.split(result.stdout.removeprefix("open "))
    assert (told, command, path) == ("it:", "wireshark", str(made))
    assert options[2:] == ["-d", f"tcp.port=={OTHER_PORT},turnchat"]
    tshark(made, *options, is_ours=False)


def test_a_recording_without_a_connection_makes_no_capture(tmp_path: Path) -> None:
    recording, made = tmp_path / "some.jsonl", tmp_path / "made.pcapng"
    recording.write_text(text_of(OPENED[0], event("end", 2)))
    result = replay(recording, "--pcap", made)
    assert result.returncode == 65
    assert result.stderr.endswith(f"no connection is recorded in {recording}\n")
    assert not made.exists()


def test_a_capture_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    result = replay(EXAMPLES[0], "--pcap", tmp_path / "none" / "made.pcapng")
    assert result.returncode == 73
    result = replay(EXAMPLES[0], "--pcap", EXAMPLES[0])
    assert result.returncode == 2
    assert "is the recording itself" in result.stderr
