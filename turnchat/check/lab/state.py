"""The results so far, in a file: a run that was interrupted goes on where it stopped.

The first line has the options that results depend on; the rubric is not among them. Each other line
has one result. A last line that is torn is no result. If the options have changed, or the programs
of a hand-in, what was written for them is not used.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from turnchat.check.report import CaseResult, Verdict
from turnchat.check.scratch import replacing

Key = tuple[str, str, str]  # a hand-in, its digest, and a suite

MOST_EVIDENCE = 1 << 16  # bytes that are kept of one case; a program may write without end


class State:
    """The file, open for more results.

    restarted_since: why older ones are not used, or None. count: those that are.
    """

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        """Read what is there. Raises OSError."""
        self.restarted_since: str | None = None
        self.count = 0
        self._places: dict[Key, list[int]] = {}  # of lines: the file may be larger than memory
        lines = _lines_of(path)
        head = next(lines, None)
        wanted = json.loads(json.dumps(options))  # tuples become lists, as in the file
        old = head.get("options") if isinstance(head, dict) else None
        # Written anew, so that a torn line is gone before the next one comes behind it.
        with replacing(path) as file:
            file.write(_bytes_of({"options": options}))
            if old == wanted:
                for line in lines:
                    with suppress(KeyError, TypeError, ValueError, AttributeError):
                        CaseResult.from_json(line["result"])
                        self._places.setdefault(_key_of(line), []).append(file.tell())
                        file.write(_bytes_of(line))
                        self.count += 1
            elif head is not None:
                self.restarted_since = _change(old, wanted)
        self._file = path.open("a+b")

    def results(self, hand_in: str, digest: str, suite: str) -> dict[str, CaseResult]:
        """Return the results of a suite, by id, as far as they were known. Raises OSError."""
        found = {}
        for place in self._places.get((hand_in, digest, suite), ()):
            self._file.seek(place)
            result = CaseResult.from_json(json.loads(self._file.readline())["result"])
            found[result.id] = result
        return found

    def add(self, hand_in: str, digest: str, suite: str, result: CaseResult) -> None:
        """Write a result down. Raises OSError.

        The checker's own errors are tried again in the next run, and skips follow from the rest.
        """
        if result.verdict is Verdict.ERROR or result.depends_on is not None:
            return
        line = {"hand_in": hand_in, "digest": digest, "suite": suite, "result": result.to_json()}
        self._file.write(_bytes_of(line))  # at the end: it is open to append
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def shortened(result: CaseResult) -> CaseResult:
    """Return the result with no more evidence than a report can show."""
    left, events = MOST_EVIDENCE, []
    for event in result.events:
        if left <= 0:
            break
        events.append(event._replace(data=event.data[:left], note=event.note[:left]))
        left -= len(event.data) + 40
    shortfall = result.shortfall and result.shortfall._replace(
        expected=_cut(result.shortfall.expected), received=_cut(result.shortfall.received)
    )
    screens = [[row[:400] for row in rows[-200:]] for rows in result.screens]
    reason = result.reason[:2000]
    return result._replace(events=events, shortfall=shortfall, screens=screens, reason=reason)


def _key_of(line: Any) -> Key:
    return str(line["hand_in"]), str(line["digest"]), str(line["suite"])


def _bytes_of(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _cut(data: bytes | None) -> bytes | None:
    return None if data is None else data[:MOST_EVIDENCE]


def _lines_of(path: Path) -> Iterator[Any]:
    """Give each line's value. It ends at the first that is torn, or if there is no file."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                return


def _change(old: Any, new: Mapping[str, Any]) -> str:
    """Return the options that differ, in words."""
    if not isinstance(old, dict):
        return "the file of results is damaged"
    names = [name for name in new if old.get(name) != new[name]]
    return f"changed since then: {', '.join(names)}" if names else "its options have changed"
