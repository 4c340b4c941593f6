"""Programs are known by their names, with all that systems and people add to them."""

from pathlib import Path

import pytest

from tests.check.test_hand_ins import found_in, only, written
from turnchat.check.case import CLIENT, SERVER
from turnchat.check.lab.hand_ins.names import Name, read_folder, read_name

NUMBER = "12345678d"
MARKS = (
    *(
        " (1)",
        "(2)",
        " (10)",
        "-1",
        "-12",
        " - Copy",
        " - Copy (2)",
        " copy",
        " copy 2",
        " 2",
        "_2",
    ),
    *(" (copy)", " (another copy)", " (3rd copy)", " (Kopie)", " - Kopie", "_final", "-final2"),
    *("_v2", " v2", "_new", "_old", "-1 (1)", "_fixed"),
)


@pytest.mark.parametrize("mark", MARKS)
def test_the_mark_of_a_copy_is_no_part_of_the_name(mark: str) -> None:
    assert read_name(f"server_{NUMBER}{mark}.py") == Name(SERVER, NUMBER, True)


@pytest.mark.parametrize("name", ["server (1).py", "server - Copy.py", "server_copy2.py"])
def test_a_copy_without_an_id_is_known(name: str) -> None:
    assert read_name(name) == Name(SERVER, "", True)


@pytest.mark.parametrize("before", ["Copy of ", "old_", "new ", "final-"])
def test_the_mark_of_a_copy_may_stand_before_the_name(before: str) -> None:
    assert read_name(f"{before}server_{NUMBER}.py") == Name(SERVER, NUMBER, True)


@pytest.mark.parametrize("before", ["test_", "lab1_", "Chat"])
def test_other_words_before_the_name_are_not_plain(before: str) -> None:
    assert read_name(f"{before}Server_{NUMBER}.py") == Name(SERVER, NUMBER, False)


@pytest.mark.parametrize(
    "name",
    ["server_helper.py", "server_12345678d_helper.py", "clients.py", "server_newman.py", "a.py"],
)
def test_the_names_of_other_files_are_no_programs(name: str) -> None:
    assert read_name(name) is None


@pytest.mark.parametrize("name", ["server" + " copy" * 50, "(" * 250, "server_" + "1" * 240 + "!"])
def test_a_name_that_goes_on_and_on_takes_no_time(name: str) -> None:
    assert read_name(f"{name}.py") is None


@pytest.mark.parametrize(
    ("folder", "number", "name"),
    [
        ("Chan Tai Man 12345678d", NUMBER, "Chan Tai Man"),
        ("12345678d.zip", NUMBER, ""),
        ("Chan_12345678d_(late)", NUMBER, "Chan (late"),
        ("Chan Tai Man", "", "Chan Tai Man"),
        ("12345678d and 87654321d", "", "12345678d and 87654321d"),
    ],
)
def test_a_folder_has_an_id_and_a_name(folder: str, number: str, name: str) -> None:
    assert read_folder(folder) == (number, name)


# Two files for one program


@pytest.mark.parametrize("mark", MARKS)
def test_a_copy_that_differs_is_a_second_program(mark: str, tmp_path: Path) -> None:
    first, second = f"server_{NUMBER}.py", f"server_{NUMBER}{mark}.py"
    files = {first: "1", second: "2", f"client_{NUMBER}.py": "c"}
    hand_in = only(found_in(written(tmp_path / "class", files)))
    assert hand_in.files.keys() == {CLIENT}
    assert not hand_in.is_in_order
    (problem,) = hand_in.problems
    assert problem.startswith("two servers, which differ, so none is taken: ")
    assert first in problem
    assert second in problem


def test_a_copy_with_the_same_bytes_is_no_second_program(tmp_path: Path) -> None:
    files = {f"server_{NUMBER}{mark}.py": "s" for mark in ("", " (1)", "-1")}
    files[f"client_{NUMBER} (1).py"] = "c"  # the only one there is
    hand_in = only(found_in(written(tmp_path / "class", files)))
    assert (hand_in.problems, hand_in.is_in_order) == ([], True)


def test_a_program_of_another_name_is_told_of(tmp_path: Path) -> None:
    files = {f"{name}_{NUMBER}.py": name for name in ("server", "test_server", "client")}
    hand_in = only(found_in(written(tmp_path / "class", files)))
    assert hand_in.files[SERVER].read_text() == "server"
    assert hand_in.problems == [f"its server is server_{NUMBER}.py, not test_server_{NUMBER}.py"]
    assert hand_in.is_in_order


def test_one_id_in_two_letter_cases_is_one_student_and_is_told(tmp_path: Path) -> None:
    files = {"server_12345678d.py": "s", "client_12345678D.py": "c"}
    hand_in = only(found_in(written(tmp_path / "class", files)))
    assert hand_in.files.keys() == {SERVER, CLIENT}
    assert hand_in.problems == ["one ID in upper and in lower case: 12345678D, 12345678d"]
    assert hand_in.is_in_order


@pytest.mark.parametrize("folders", [("", ""), ("a/", "b/")], ids=["flat", "folders"])
def test_two_programs_in_two_letter_cases_are_doubled(
    folders: tuple[str, str], tmp_path: Path
) -> None:
    files = {
        f"{folder}{role}_12345678{letter}.py": f"{role}{letter}"
        for folder, letter in zip(folders, "dD", strict=True)
        for role in ("server", "client")
    }
    hand_in = only(found_in(written(tmp_path / "class", files)))
    assert not hand_in.files
    assert [one.partition(",")[0] for one in hand_in.problems] == [
        "two servers", "two clients", "one ID in upper and in lower case: 12345678D",
    ]  # fmt: skip
