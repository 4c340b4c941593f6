"""Each student's folder has a row, also one in which no program is known."""

import zipfile
from pathlib import Path
from unicodedata import normalize

import pytest

from tests.check.test_hand_ins import found_in, only, written
from turnchat.check.case import CLIENT
from turnchat.check.lab.hand_ins.folders import without_programs

NOTHING = "no program found: no file is called client_ID or server_ID"
NUMBER = "12345678d"
GOOD = {"client_12345678d.py": "c", "server_12345678d.py": "s"}


@pytest.mark.parametrize(
    ("path", "number", "name", "files"),
    [
        ("Ana_7_assignsubmission_file_/src/main.py", "7", "Ana", "src/main.py"),
        ("Default team_assignsubmission_file_/main.py", "Default team", "Default team", "main.py"),
        ("Participant_7_assignsubmission_file_/main.py", "7", "Participant", "main.py"),
        ("ana_7_70_main.py", "7", "ana", "main.py"),
        ("anaLee_LATE_7_70_main.py", "7", "anaLee", "main.py"),
        ("ana_7_text.html", "7", "ana", "ana_7_text.html"),
        ("anon_xY3z9_70_main.py", "anon_xY3z9", "", "main.py"),
        ("L_ana_attempt_2024-01-02-03-04-05_main.py", "ana", "", "main.py"),
        ("submission_7/main.py", "7", "", "main.py"),
        ("Ana Lee 87654321d/main.py", "87654321d", "Ana Lee", "main.py"),
        ("Ana Lee/a/main.py", "Ana Lee", "Ana Lee", "a/main.py"),
        ("L1/Ana Lee/a/main.py", "L1/Ana Lee", "Ana Lee", "a/main.py"),
    ],
)
def test_a_hand_in_without_a_program_has_a_row(
    path: str, number: str, name: str, files: str, tmp_path: Path
) -> None:
    top = f"{path.partition('/')[0]}/" if path.startswith("L1/") else ""
    others = {f"{top}Bo 12345678d/{one}": text for one, text in GOOD.items()}
    others |= {f"{top}Cy/{one.replace('1234', '4321')}": text for one, text in GOOD.items()}
    found = found_in(written(tmp_path / "class", {path: "x", **others}))
    assert found.programs == 4
    (hand_in,) = (one for one in found.hand_ins if not one.files)
    assert (hand_in.id, hand_in.name) == (number, name)
    assert hand_in.problems[:2] == [NOTHING, f"other files there: {files}"]
    assert not hand_in.is_in_order


@pytest.mark.parametrize(
    "name", ["Ana 87654321d", "submission_7", "Ana_7_assignsubmission_file_"]
)  # fmt: skip
def test_an_empty_folder_has_a_row(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "class", {f"Bo/{one}": text for one, text in GOOD.items()})
    (folder / name).mkdir()
    (hand_in,) = (one for one in found_in(folder).hand_ins if not one.files)
    assert hand_in.problems == [NOTHING, "there are no files"]


def test_a_zip_file_without_a_program_has_a_row(tmp_path: Path) -> None:
    folder = written(tmp_path / "class", GOOD)
    with zipfile.ZipFile(folder / "87654321d.zip", "w") as archive:
        archive.writestr("main.py", "x")
    (hand_in,) = (one for one in found_in(folder).hand_ins if not one.files)
    assert hand_in.id == "87654321d"
    assert hand_in.problems == [NOTHING, "other files there: main.py"]


def test_blackboards_own_file_is_none_of_the_students(tmp_path: Path) -> None:
    attempt = "Lab 1_chan_attempt_2024-01-02-03-04-05"
    text = "Name: Chan Tai Man (chan)\n"
    hand_in = only(found_in(written(tmp_path / "class", {f"{attempt}.txt": text})))
    assert hand_in.name == "Chan Tai Man"
    assert hand_in.problems == [NOTHING, "there are no files"]


def test_other_files_are_named_where_one_program_is_missing(tmp_path: Path) -> None:
    files = {"submission_7/server_12345678d.py": "s"}
    files |= {f"submission_7/{nth}.py": "x" for nth in range(7)}
    hand_in = only(found_in(written(tmp_path / "class", files)))
    assert hand_in.problems == [
        "there is no client", "other files there: 0.py, 1.py, 2.py, 3.py, 4.py and 2 more",
    ]  # fmt: skip


def test_a_folder_of_a_flat_class_is_no_student_without_an_id(tmp_path: Path) -> None:
    files = {**GOOD, "docs/handout.pdf": "", "Ana 87654321d/main.py": ""}
    found = found_in(written(tmp_path / "class", files))
    assert [one.id for one in found.hand_ins] == ["12345678d", "87654321d"]


def test_a_hand_in_has_one_row_with_a_pattern_of_names_too(tmp_path: Path) -> None:
    files = {
        f"Ana_7_assignsubmission_file_/{role}/main_12345678d.py": role for role in ("s", "c")
    }  # fmt: skip
    folder = written(tmp_path / "class", files)
    hand_in = only(found_in(folder, r"/(?P<role>[sc])/main_(?P<id>\w+)\.py"))
    assert (hand_in.name, hand_in.problems) == ("Ana", [])


def test_sections_of_a_class_are_no_students() -> None:
    folders = ["A", "A/Ana", "A/Bo", "B", "B/Cy", "B/Di", "C", "C/Ed", "C/Ed/src"]
    owners = {"A/Ana/s.py": "ana", "A/Bo/s.py": "bo", "B/Cy/s.py": "cy", "C/Ed/src/x.py": ""}
    found = without_programs(
        [one.split("/") for one in folders],
        {tuple(path.split("/")): key for path, key in owners.items()},
    )
    assert sorted("/".join(one) for one in found) == ["B/Di", "C/Ed"]


# A folder with an ID is its student's


OTHER = "87654321d"
FOREIGN = "another ID than that of its folder: "


@pytest.mark.parametrize("depth", ["", "src/"])
@pytest.mark.parametrize("text", ["c", "other"], ids=["same", "differs"])
@pytest.mark.parametrize("section", ["", "L1/", "COMP2322/", "20241015/"])
def test_no_student_can_put_a_program_into_anothers_hand_in(
    section: str, text: str, depth: str, tmp_path: Path
) -> None:
    files = {f"{section}Ana {NUMBER}/{name}": data for name, data in GOOD.items()}
    files[f"{section}Bo {OTHER}/server_{OTHER}.py"] = "s"
    put = f"{section}Bo {OTHER}/{depth}client_{NUMBER}.py"
    ana, bo = found_in(written(tmp_path / "class", {**files, put: text})).hand_ins
    assert (ana.id, ana.problems, ana.is_in_order) == (NUMBER, [], True)
    assert ana.paths[CLIENT].startswith(f"{section}Ana")
    assert (bo.id, bo.problems, bo.is_in_order) == (OTHER, [f"{FOREIGN}{put}"], False)


def test_a_program_with_another_id_is_not_taken_beside_the_students_own(tmp_path: Path) -> None:
    files = {f"{NUMBER}/{name}": text for name, text in GOOD.items()}
    put = f"{NUMBER}/client_{OTHER}.py"
    files |= {put: "x", f"{OTHER}/server_{OTHER}.py": "s"}
    hand_in, _ = found_in(written(tmp_path / "class", files)).hand_ins
    assert hand_in.files[CLIENT].read_text() == "c"
    assert hand_in.problems == [f"{FOREIGN}{put}"]
    assert hand_in.is_in_order


def test_a_folder_beside_the_files_of_a_flat_class_is_its_students(tmp_path: Path) -> None:
    files = {**GOOD, f"{OTHER}/client_{NUMBER}.py": "x"}
    ana, bo = found_in(written(tmp_path / "class", files)).hand_ins
    assert (ana.id, ana.problems) == (NUMBER, [])
    assert (bo.id, list(bo.files)) == (OTHER, [CLIENT])


@pytest.mark.parametrize("folder", ["COMP2322", "20241015", "87654321d"])
def test_a_folder_of_many_students_is_no_students(folder: str, tmp_path: Path) -> None:
    numbers = ("12345678", "22345678", "87654321d")
    files = {f"{folder}/{role}_{one}.py": role for one in numbers for role in ("client", "server")}
    found = found_in(written(tmp_path / "class", files))
    assert [(one.id, one.problems) for one in found.hand_ins] == [(one, []) for one in numbers]


@pytest.mark.parametrize("day", ["20241015", "20241016"])
def test_days_in_the_names_of_folders_are_no_ids(day: str, tmp_path: Path) -> None:
    days = {"Ana": ("20241015", "12345678"), "Bo": (day, "22345678")}
    files = {
        f"{name} {one}/{role}_{number}.py": role
        for name, (one, number) in days.items()
        for role in ("client", "server")
    }
    found = found_in(written(tmp_path / "class", files))
    assert [(one.id, one.problems) for one in found.hand_ins] == [
        ("12345678", []), ("22345678", []),
    ]  # fmt: skip


def test_a_copied_hand_in_costs_its_author_no_point(tmp_path: Path) -> None:
    files = {
        f"{name}_assignsubmission_file_/{one}": text
        for name in ("Ana_7", "Bo_8")
        for one, text in GOOD.items()
    }
    for one in found_in(written(tmp_path / "class", files)).hand_ins:
        assert one.problems == ["another hand-in has the same ID"]
        assert one.is_in_order


def test_a_name_in_two_normal_forms_is_one(tmp_path: Path) -> None:
    names = normalize("NFC", "Zoé"), normalize("NFD", "Zoé")
    files = {
        f"{name}_assignsubmission_file_/{one}": text
        for name, (one, text) in zip(names, GOOD.items(), strict=True)
    }
    hand_in = only(found_in(written(tmp_path / "class", files)))
    assert (hand_in.name, hand_in.problems) == (names[0], [])
