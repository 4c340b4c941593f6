"""turnchat: a turn-taking chat over TCP on a hand-written, single-threaded event loop."""

__version__ = "0.1.0"
