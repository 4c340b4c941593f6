"""The figures and the recordings of the guide, made anew.

    python -m tests.tools.guide.figures [streams] [framing] [turns] [blocking] [readiness] ...
    python -m tests.tools.guide.record [NAME ...]

figures.py has the table of the chapters; calls.py measures for chapters 1 to 4, where each call
waits, and one_loop.py for those after it. record.py has the table of the recordings.
"""


def tell(name: str, value: str) -> None:
    """Print a figure."""
    print(f"{name:58}{value}")
