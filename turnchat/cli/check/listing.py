"""The list of the cases, for people and programs."""

import argparse
import json
import os
import textwrap
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from typing import Any

from turnchat.check.case import BOTH, LAB, MUST, Case, all_cases
from turnchat.check.lab.rubric import default_text
from turnchat.cli.check.console import say
from turnchat.text import counted

COLUMNS = 80


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `list`."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, with all fields")
    form.add_argument("--rubric", action="store_true", help="the rubric of lab, to be changed")


def show(arguments: argparse.Namespace) -> int:
    """Print the cases, or the rubric."""
    if arguments.rubric:
        text = default_text()
    elif arguments.json:
        text = json.dumps([to_object(one) for one in all_cases()], ensure_ascii=False, indent=2)
    else:
        text = "\n".join(lines(all_cases()))
    say(text.rstrip("\n"))
    return os.EX_OK


def to_object(case: Case) -> dict[str, Any]:
    """Return all fields of a case but its script, for JSON: cases.schema.json."""
    fields = case._asdict()
    del fields["script"]
    return {"id": fields.pop("id"), "group": case.group, **fields}


def lines(cases: list[Case]) -> Iterator[str]:
    """Give the lines of the list, of 80 columns at most."""
    musts = sum(one.level is MUST for one in cases)
    lab = sum(one.profile is LAB for one in cases)
    yield f"{counted(len(cases), 'case')}: {musts} MUST, {len(cases) - musts} SHOULD;"
    yield f"{lab} of them in profile lab, all in profile turnchat."
    for group, members in groupby(cases, key=lambda one: one.group):
        yield ""
        title = import_module(f"turnchat.check.cases.{group}").__doc__ or group
        yield from textwrap.wrap(title.splitlines()[0], COLUMNS)
        for one in members:
            yield from _entry(one)


def _entry(case: Case) -> Iterator[str]:
    roles = "" if tuple(case.roles) == BOTH else f"{' and '.join(case.roles)} only"
    profile = "" if case.profile is LAB else "profile turnchat"
    yield f"  {case.id:32}  {case.level:6}  {', '.join(filter(None, (roles, profile)))}".rstrip()
    yield from textwrap.wrap(case.rule, COLUMNS, initial_indent=" " * 6, subsequent_indent=" " * 6)
