"""The guide, held to its word: the order of its terms, its commands, its exercises.

A chapter is turnchat/guide/N-NAME.md. It ends with `## Exercises`, and there each exercise has a
heading `### Predict: ...`, `### Break: ...` or `### Build: ...`.

A session is a block, indented by four blanks, whose first line begins with "$ ". Each other line of
it that begins so is a command, too; a line between is what the last command must show. Each block
is typed into a terminal of its own, in the folder of the checkout. The blocks under one heading run
side by side: if the last command of a block shows something, the next block begins with its first
line, and the rest is waited for at the end; so a server must say that it listens. In the lines
shown, a lone "…" stands for any lines and another for any text; blanks, decimal fractions and the
ports of clients may differ. Commands name a port of 23xx, which the tests replace by a free one,
and build/, which they replace by a folder of their own.

The commands of Predict are of turnchat-replay, and name a recording that ships. Build has one
session with one command: turnchat-check, on the starter turnchat/guide/exercises/NAME.py.
tests/guide/solutions/NAME.py is its solution.
"""
