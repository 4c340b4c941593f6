"""Find mistakes of a recorded loop, each with the reason why it is one, and the way to mend it.

A loop may be wrong and still work most of the time: it only costs more, or fails when the network
behaves differently. Its calls show the mistake. Each lint looks for one mistake.
"""

from turnchat.replay.lint.find import find_all, find_mistakes
from turnchat.replay.lint.finding import Finding

__all__ = ["Finding", "find_all", "find_mistakes"]
