"""turnchat-check list, for people and for programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema

from tests.support.process import ROOT, run
from turnchat.check.case import Case, Profile, Role, all_cases, select
from turnchat.check.formats import results
from turnchat.cli.check import listing

CHECK = str(ROOT / "bin" / "turnchat-check")
SCHEMA = json.loads(Path(results.__file__).with_name("cases.schema.json").read_text())


def test_the_list_has_each_case_with_its_rule() -> None:
    status, out, errors = run(CHECK, "list")
    assert (status, errors) == (0, "")
    words = " ".join(out.split())
    assert out.startswith(f"{len(all_cases())} cases: ")
    for one in all_cases():
        assert f"{one.id} " in words
        assert one.rule in words


def test_the_list_fits_on_80_columns() -> None:
    assert max(map(len, listing.lines(all_cases()))) <= 80


def test_a_case_says_what_sets_it_apart() -> None:
    (one,) = [one for one in all_cases() if one.id == "frame/message"]
    assert "client only" not in entry(one)
    assert "client only, profile turnchat" in entry(
        one._replace(roles=(Role.CLIENT,), profile=Profile.TURNCHAT)
    )
    assert "  MUST" in entry(one)


def entry(one: Case) -> str:
    return "\n".join(listing.lines([one]))


def test_the_json_has_every_field() -> None:
    status, out, _ = run(CHECK, "list", "--json")
    assert status == 0
    document = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert [one["id"] for one in document] == [one.id for one in all_cases()]
    fields = SCHEMA["items"]
    for one in document:
        assert set(one) == set(fields["properties"]) == set(fields["required"])
    assert set(document[0]) == {*Case._fields, "group"} - {"script"}


def test_every_case_is_of_a_role_and_a_profile() -> None:
    listed = {one.id for role in Role for one in select(role, Profile.TURNCHAT)}
    assert listed == {one.id for one in all_cases()}


def test_a_reader_that_has_enough_is_no_error() -> None:
    ends = os.pipe()
    os.close(ends[0])
    with open(ends[1], "wb") as closed:
        command = [sys.executable, CHECK, "list"]
        result = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
