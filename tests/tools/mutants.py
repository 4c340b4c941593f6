"""Mutants: copies of a source file with one small defect each, by cosmic-ray and a few of ours.

Of cosmic-ray's operators those are used that make defects like a person's: a comparison that is off
by one or turned round, a number, a condition, an exception that is not caught. Others, such as `+`
for each of eleven operators, mostly give code that fails at once, and a score that says nothing.

No mutant is made in an annotation, and none twice. One that cannot be imported is not counted.
"""

import ast
import difflib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import Keyword, Name

Position = tuple[tuple[int, int], tuple[int, int]]  # two of: line from 1, column from 0

COSMIC_RAY = (
    "AddNot", "NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop",
    "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak",
    "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Invert",
    *(f"ReplaceComparisonOperator_{names}" for names in (
        "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt",
        "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceBinaryOperator_{names}" for names in (
        "Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Div_Mul", "Mod_Mul",
        "LShift_RShift", "RShift_LShift", "BitAnd_BitOr")),
)  # fmt: skip

# Constants of the system that are mistaken for each other, and the call that still succeeds.
NEIGHBOURS = {
    "LOCK_EX": "LOCK_SH", "SHUT_WR": "SHUT_RD", "EVENT_READ": "EVENT_WRITE",
    "EVENT_WRITE": "EVENT_READ", "O_RDWR": "O_RDONLY", "SIGTERM": "SIGHUP", "SIGKILL": "SIGTERM",
    "SIGINT": "SIGTERM", "SIGCONT": "SIGTSTP", "SIG_IGN": "SIG_DFL", "SIG_DFL": "SIG_IGN",
    "TCSANOW": "TCSAFLUSH", "TCSADRAIN": "TCSAFLUSH", "SO_REUSEADDR": "SO_KEEPALIVE",
    "ECONNREFUSED": "EADDRINUSE", "EADDRINUSE": "ECONNREFUSED", "SOCK_DGRAM": "SOCK_STREAM",
}  # fmt: skip


class DropStatement:
    """Leaves a call, a raise, a bare return, or the setting of an attribute or item out."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type == "simple_stmt" and self._is_droppable(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        first = node.children[0]
        prefix = first.get_first_leaf().prefix
        node.children[0] = Keyword("pass", first.start_pos, prefix)
        return node

    def _is_droppable(self, statement: Any) -> bool:
        function = parso.python.tree.search_ancestor(statement, "funcdef")
        if function is None or function.name.value == "__init__":
            return False  # without them nothing works, or the import fails
        if statement.type in ("atom_expr", "raise_stmt"):
            return True
        if statement.type == "expr_stmt":
            target, sign = statement.children[:2]
            is_augmented = sign.type == "operator" and sign.value not in "=:"
            is_name = set(target.get_code()).isdisjoint(".[")  # no attribute, no item
            return is_augmented or not is_name
        return bool(statement.type == "keyword" and statement.value == "return")


class ReplaceException:
    """Catches another exception than one of those that are named.

    It is ExceptionReplacer of cosmic-ray, which fails on a dotted name in brackets.
    """

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        for named in self._exceptions(node):
            yield named.start_pos, named.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        named = self._exceptions(node)[index]
        leaf = named.get_first_leaf()
        other = Name("CosmicRayTestingException", leaf.start_pos, leaf.prefix)
        siblings = named.parent.children
        siblings[:] = [other if one is named else one for one in siblings]
        return node

    def _exceptions(self, node: Any) -> list[Any]:
        if node.type != "except_clause":
            return []
        named = node.children[1]
        if named.type == "atom":  # in brackets
            named = named.children[1]
        return named.children[::2] if named.type == "testlist_comp" else [named]


class DropOperand:
    """Leaves one operand of a chain of and, or, | or & out."""

    kinds = ("and_test", "or_test", "expr", "and_expr")

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type in self.kinds:
            for operand in node.children[::2]:
                yield operand.start_pos, operand.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        operands = node.children[::2]
        kept = [leaf for place, leaf in enumerate(operands) if place != index]
        sign = f" {node.children[1].value} "
        text = sign.join(operand.get_code(include_prefix=False) for operand in kept)
        return parso.parse(node.get_first_leaf().prefix + text)


class TakeNeighbour:
    """Takes another constant of the system: a shared lock for an exclusive one, say."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type == "name" and node.value in NEIGHBOURS:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        node.value = NEIGHBOURS[node.value]
        return node


class Mutant(NamedTuple):
    """A file with one defect. path: in the tree. line: the first one that differs, from 1.

    place: the class and function with the defect, "" for the module.
    """

    path: str
    place: str
    operator: str
    occurrence: int
    line: int
    removed: tuple[str, ...]  # lines, without the indentation
    added: tuple[str, ...]

    @property
    def key(self) -> str:
        """A short name that stays the same while these lines and their place do."""
        text = "\n".join((self.path, self.place, self.difference))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def difference(self) -> str:
        """The change as one text, which has no line number in it."""
        return "\n".join((*(f"- {line}" for line in self.removed), *map("+ {}".format, self.added)))

    def apply(self, tree: Path) -> None:
        """Write the defect into a copy of the tree."""
        source = (tree / self.path).read_text()
        mutated = mutate_code(source, operators()[self.operator], self.occurrence)
        assert mutated, self
        (tree / self.path).write_text(mutated)


def operators() -> dict[str, Any]:
    """Return each operator by its name."""
    provider = OperatorProvider()
    ours = (DropStatement, DropOperand, ReplaceException, TakeNeighbour)
    return {name: provider[name]() for name in COSMIC_RAY} | {one.__name__: one() for one in ours}


def mutants_of(tree: Path, path: str) -> Iterator[Mutant]:
    """Make every mutant of a file."""
    source = (tree / path).read_text()
    nodes = list(ast_nodes(parso.parse(source)))
    seen = {_meaning_of(source), None}
    for name, operator in operators().items():
        found = (node for node in nodes for _ in operator.mutation_positions(node))
        for occurrence, node in enumerate(found):
            mutated = mutate_code(source, operator, occurrence)
            if not _is_annotation(node) and (meaning := _meaning_of(mutated)) not in seen:
                seen.add(meaning)
                place = ".".join(reversed([*_names_around(node)]))
                yield Mutant(path, place, name, occurrence, *_difference(source, mutated))


def _meaning_of(source: str) -> str | None:
    """Return the syntax tree as a text, None if the source has none."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return None


def _difference(source: str, mutated: str) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    before, after = source.splitlines(), mutated.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    first, last = changes[0], changes[-1]
    removed = tuple(filter(None, map(str.strip, before[first[1] : last[2]])))
    added = tuple(filter(None, map(str.strip, after[first[3] : last[4]])))
    return first[1] + 1, removed, added


def _names_around(node: Any) -> Iterator[str]:
    """Yield the names of the functions and classes that the node is in, from the inside."""
    while node := node.parent:
        if node.type in ("funcdef", "classdef"):
            yield node.name.value


def _is_annotation(node: Any) -> bool:
    """Return True if the node is in an annotation: those are for mypy."""
    while node.parent:
        parent = node.parent
        if parent.type == "annassign" and node is parent.children[1]:
            return True
        if parent.type in ("funcdef", "param") and node is parent.annotation:
            return True
        if parent.type == "tfpdef" and node is parent.children[-1]:
            return True
        node = parent
    return False
