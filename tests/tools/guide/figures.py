"""Measure the figures of the guide.

python -m tests.tools.guide.figures [streams] [framing] [turns] [blocking] [readiness] ...
"""

import resource
import sys
from collections.abc import Callable

from tests.tools.guide import calls, one_loop

CHAPTERS: dict[str, Callable[[], None]] = {
    "streams": calls.streams,
    "framing": calls.framing,
    "turns": calls.turns,
    "blocking": calls.blocking,
    "readiness": one_loop.readiness,
    "buffers": one_loop.buffers,
    "ends": one_loop.ends,
}


def main() -> None:
    """Print the figures of all chapters, or of those whose names are given."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    for name in sys.argv[1:] or CHAPTERS:
        CHAPTERS[name]()


if __name__ == "__main__":
    main()
