"""The evidence of a case, without the place in which its programs ran."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from turnchat.check.formats.diagram import columns_of
from turnchat.check.report import CaseResult
from turnchat.check.subject import COLUMNS


def without_folder(result: CaseResult, folder: Path) -> CaseResult:
    """Return the result with names in `folder` as a student knows them: the folder is thrown away.

    A traceback has the whole path of each file.
    """
    places = {f"{place}/" for place in (folder, folder.absolute(), folder.resolve())}
    ordered = sorted(places, key=len, reverse=True)  # a relative one is the end of an absolute one

    def short(text: str) -> str:
        for place in ordered:
            text = text.replace(place, "")
        return text

    def short_reason(reason: str) -> str:
        for place in ordered:  # the last rows of a screen are quoted in it
            reason = re.sub("(?:; )?".join(map(re.escape, place)), "", reason)
        return reason

    def short_bytes(data: bytes) -> bytes:
        for place in ordered:
            data = data.replace(os.fsencode(place), b"")
        return data

    def short_screen(rows: Sequence[str]) -> list[str]:
        made: list[str] = []
        for wrapped in _lines(rows):
            line = "".join(wrapped)
            made += wrapped if short(line) == line else [short(line)]
        return made

    def short_received(data: bytes) -> bytes:
        text = data.decode(errors="replace")
        if text.rstrip() in ("\n".join(rows).rstrip() for rows in result.screens):
            return "\n".join(short_screen(text.split("\n"))).encode()
        return short_bytes(data)

    shortfall = result.shortfall
    if shortfall:
        received = shortfall.received
        shortfall = shortfall._replace(
            reason=short_reason(shortfall.reason),
            received=None if received is None else short_received(received),
        )
    return result._replace(
        reason=short_reason(result.reason),
        shortfall=shortfall,
        diagnosis=[short(one) for one in result.diagnosis],
        events=[
            one._replace(data=short_bytes(one.data), note=short(one.note)) for one in result.events
        ],
        screens=[short_screen(rows) for rows in result.screens],
    )


def _lines(rows: Sequence[str]) -> Iterator[list[str]]:
    """Give the rows of each line of a screen: a row that is full goes on in the next."""
    line: list[str] = []
    for row in rows:
        line.append(row)
        if columns_of(row) < COLUMNS:
            yield line
            line = []
    if line:
        yield line
