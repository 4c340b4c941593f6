"""Hand-ins are found in the exports of course systems, and never guessed."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.tools.make_class import LAYOUTS, make_students, write_class
from turnchat.check.case import CLIENT, SERVER
from turnchat.check.lab.hand_ins import pairs, search
from turnchat.check.lab.hand_ins.copies import MOST_FILES, copy, is_large
from turnchat.check.lab.hand_ins.exports import gradescope_students
from turnchat.check.lab.hand_ins.pairs import Class, HandIn, pattern

BOTH = {SERVER, CLIENT}


def found_in(folder: Path, match: str | None = None) -> Class:
    scratch = folder.with_name("scratch")
    return pairs.find(folder, scratch, pattern(match) if match else None)


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def only(found: Class) -> HandIn:
    (hand_in,) = found.hand_ins
    return hand_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "class"
    made.mkdir()
    return made


# Layouts


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("zips", [False, True], ids=["plain", "zips"])
def test_each_student_is_found_in_each_layout(layout: str, zips: bool, folder: Path) -> None:
    students = [
        one for one in make_students(12) if not any(p.defect for p in one.programs.values())
    ]
    write_class(students, folder, layout, zips=zips)
    found = found_in(folder)
    assert [one.id for one in found.hand_ins] == [one.id for one in students]
    assert [one.problems for one in found.hand_ins] == [[]] * len(students)
    assert all(one.is_in_order for one in found.hand_ins)
    for one, student in zip(found.hand_ins, students, strict=True):
        for role, path in one.files.items():
            assert path.suffix == student.programs[role].suffix
            assert student.id in path.read_text()


def test_one_zip_file_may_hold_the_export_of_the_class(folder: Path) -> None:
    students = make_students(2)
    write_class(students, folder / "inner", "moodle")
    export = folder / "export.zip"
    with zipfile.ZipFile(export, "w") as archive:
        for path in (folder / "inner").rglob("*.py"):
            archive.write(path, path.relative_to(folder / "inner"))
    found = pairs.find(export, folder.with_name("scratch"))
    assert [one.id for one in found.hand_ins] == [one.id for one in students]


def test_names_come_from_moodles_folders(folder: Path) -> None:
    name = "Jürgen Groß_77_assignsubmission_file_"
    files = {f"{name}/client_12345678d.py": "c", f"{name}/server_12345678d.py": "s"}
    assert only(found_in(written(folder, files))).name == "Jürgen Groß"


def test_names_come_from_blackboards_text_files(folder: Path) -> None:
    attempt = "Lab 1_chan_attempt_2024-01-02-03-04-05"
    files = {
        f"{attempt}.txt": "Name: Chan Tai Man (chan)\nAssignment: Lab 1\n",
        f"{attempt}_client_12345678d.py": "c",
        f"{attempt}_server_12345678d.py": "s",
    }
    assert only(found_in(written(folder, files))).name == "Chan Tai Man"


def test_names_and_ids_come_from_gradescopes_metadata(folder: Path) -> None:
    metadata = (
        "---\nsubmission_77:\n  :submitters:\n  - :name: Chan Tai Man\n    :sid: '12345678d'\n"
        "    :email: chan@example.edu\n  :created_at: 2024-01-02\n"
    )
    files = {
        "submission_metadata.yml": metadata,
        "submission_77/client.py": "c",
        "submission_77/server.py": "s",
    }
    hand_in = only(found_in(written(folder, files)))
    assert (hand_in.id, hand_in.name) == ("12345678d", "Chan Tai Man")
    assert gradescope_students(metadata + "  - :name: Wong\n")["gradescope:77"][0] == (
        "Chan Tai Man and Wong"
    )


def test_canvas_tells_of_a_late_hand_in(folder: Path) -> None:
    files = {
        f"chan_LATE_12345_678_{role}_12345678d.py": role for role in ("client", "server")
    }  # fmt: skip
    hand_in = only(found_in(written(folder, files)))
    assert hand_in.problems == ["the course system calls it late"]
    assert hand_in.is_in_order


def test_a_student_who_handed_in_neither_program_has_a_row(folder: Path) -> None:
    files = {"Chan_77_assignsubmission_file_/report.pdf": "%PDF"}
    hand_in = only(found_in(written(folder, files)))
    assert hand_in.problems == [
        "no program found: no file is called client_ID or server_ID",
        "other files there: report.pdf",
    ]


# Names of files


@pytest.mark.parametrize(
    ("server", "client"),
    [
        ("server_12345678d.py", "client_12345678d.py"),
        ("Server_12345678D.java", "Client_12345678d.java"),
        ("SERVER-12345678d.js", "CLIENT-12345678d.js"),
        ("12345678d_server.c", "12345678d_client.c"),
        ("lab1_server_12345678d.py", "lab1_client_12345678d.py"),
        ("ChatServer_12345678d.java", "ChatClient_12345678d.java"),
    ],
)
def test_programs_are_known_by_their_names(server: str, client: str, folder: Path) -> None:
    hand_in = only(found_in(written(folder, {server: "s", client: "c"})))
    assert hand_in.id.lower() == "12345678d"
    assert {role: path.name for role, path in hand_in.files.items()} == {
        SERVER: server, CLIENT: client,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["observer_12345678d.py", "clients.py", "server.txt", "serve.py"])
def test_other_files_are_no_programs(name: str, folder: Path) -> None:
    assert not found_in(written(folder, {name: ""})).hand_ins


def test_a_file_without_id_goes_with_the_only_id_of_its_folder(folder: Path) -> None:
    files = {"a/client_12345678d.py": "c", "a/server.py": "s"}
    assert only(found_in(written(folder, files))).files.keys() == BOTH


def test_a_regular_expression_finds_other_names(folder: Path) -> None:
    files = {"12345678d/c/main.py": "c", "12345678d/s/main.py": "s", "12345678d/x/main.py": "x"}
    hand_in = only(found_in(written(folder, files), r"(?P<id>\w+)/(?P<role>[cs])/main\.py$"))
    assert hand_in.id == "12345678d"
    assert hand_in.files[SERVER].read_text() == "s"


@pytest.mark.parametrize(
    ("text", "words"), [("(", "not a regular"), ("(?P<id>x)", "no group \\(\\?P<role>")]
)
def test_a_bad_regular_expression_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pattern(text)


# Problems


def test_a_missing_file_is_reported(folder: Path) -> None:
    hand_in = only(found_in(written(folder, {"client_12345678d.py": ""})))
    assert hand_in.problems == ["there is no server"]
    assert not hand_in.is_in_order


def test_two_different_files_for_a_program_are_reported_and_none_is_taken(folder: Path) -> None:
    files = {
        "a/client_12345678d.py": "1",
        "b/client_12345678d.py": "2",
        "a/server_12345678d.py": "s",
    }
    hand_in = only(found_in(written(folder, files)))
    assert hand_in.files.keys() == {SERVER}
    assert hand_in.problems == [
        "two clients, which differ, so none is taken: a/client_12345678d.py, b/client_12345678d.py"
    ]


def test_two_files_with_the_same_bytes_are_one(folder: Path) -> None:
    files = {
        "a/client_12345678d.py": "1",
        "a/old/client_12345678d.py": "1",
        "a/server_12345678d.py": "s",
    }
    assert only(found_in(written(folder, files))).is_in_order


def test_the_same_id_in_two_hand_ins_is_reported_in_both(folder: Path) -> None:
    files = {
        f"{name}_{nth}_assignsubmission_file_/{role}_12345678d.py": name
        for nth, name in enumerate(("Chan", "Wong"))
        for role in ("client", "server")
    }
    hand_ins = found_in(written(folder, files)).hand_ins
    assert len(hand_ins) == 2
    for hand_in in hand_ins:
        assert hand_in.files.keys() == BOTH
        assert hand_in.problems == ["another hand-in has the same ID"]


def test_two_ids_in_one_hand_in_are_reported(folder: Path) -> None:
    files = {f"submission_7/{name}.py": "" for name in ("client_12345678d", "server_87654321d")}
    problems = only(found_in(written(folder, files))).problems
    assert problems == ["the names of its files have different IDs: 12345678d, 87654321d"]


def test_a_file_that_cannot_be_read_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, {"client_12345678d.py": "", "server_12345678d.py": ""})
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if "client" in path.name:
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    hand_in = only(found_in(folder))
    assert hand_in.problems == ["client_12345678d.py cannot be read: Permission denied"]


def test_a_program_that_is_too_large_is_reported(folder: Path) -> None:
    written(folder, {"client_12345678d.py": "x" * (pairs.LARGEST + 1), "server_12345678d.py": ""})
    assert only(found_in(folder)).problems == ["client_12345678d.py has over 1 MiB: no program"]


def test_names_with_quotes_and_newlines_are_taken_as_they_are(folder: Path) -> None:
    name = 'O\'Neill "Bob"\nMary_77_assignsubmission_file_'
    files = {f"{name}/{role}_12345678d.py": "" for role in ("client", "server")}
    assert only(found_in(written(folder, files))).name == 'O\'Neill "Bob"\nMary'


# Links, depth and number


def test_links_are_not_followed(folder: Path) -> None:
    written(folder, {"a/client_12345678d.py": "c", "a/server_12345678d.py": "s"})
    (folder / "a" / "loop").symlink_to("..")
    (folder / "a" / "secret.txt").symlink_to("/etc/passwd")
    hand_in = only(found_in(folder))
    assert sorted(hand_in.problems) == [
        "a/loop: it is a symbolic link: not followed",
        "a/secret.txt: it is a symbolic link: not followed",
    ]
    target = folder.with_name("copy")
    copy(hand_in, target)
    assert sorted(os.listdir(target)) == ["client_12345678d.py", "server_12345678d.py"]


def test_a_pipe_and_a_socket_are_not_opened(folder: Path) -> None:
    written(folder, {"a/client_12345678d.py": "c", "a/server_12345678d.py": "s"})
    os.mkfifo(folder / "a" / "client_2345678d.py")
    assert only(found_in(folder)).problems == [
        "a/client_2345678d.py: it is no regular file: not looked at"
    ]


def test_the_number_of_files_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 5)
    written(folder, {f"{nth}.txt": "" for nth in range(9)})
    assert found_in(folder).notices == ["5.txt: there are over 5 files: the rest is not looked at"]


def test_a_large_folder_is_not_copied_but_its_programs_are(folder: Path) -> None:
    written(folder, {"a/client_12345678d.py": "c", "a/server_12345678d.py": "s"})
    for nth in range(MOST_FILES):
        (folder / "a" / f"{nth}.dat").touch()
    hand_in = only(found_in(folder))
    assert is_large(hand_in)
    target = folder.with_name("copy")
    names = copy(hand_in, target)
    assert sorted(os.listdir(target)) == sorted(names.values())


def test_what_tools_leave_behind_does_not_count(folder: Path) -> None:
    written(folder, {"a/client_12345678d.py": "c", "a/server_12345678d.py": "s"})
    written(folder, {f"a/venv/lib/client_{nth}000.py": "x" for nth in range(20)})
    written(folder, {"__MACOSX/a/._client_12345678d.py": "x"})
    assert only(found_in(folder)).is_in_order


# Copies


def test_helpers_are_copied_from_a_folder_of_ones_own_and_not_from_a_shared_one(
    folder: Path,
) -> None:
    written(folder, {"a/client_12345678d.py": "c", "a/server_12345678d.py": "s", "a/help.py": ""})
    written(folder, {"client_22345678d.py": "c", "server_22345678d.py": "s"})
    written(folder, {"client_32345678d.py": "c", "server_32345678d.py": "s"})
    copies = {}
    for hand_in in found_in(folder).hand_ins:
        target = folder.with_name(hand_in.id)
        copy(hand_in, target)
        copies[hand_in.id] = len(os.listdir(target))
    assert copies == {"12345678d": 3, "22345678d": 2, "32345678d": 2}


def test_a_copy_has_the_students_own_names(folder: Path) -> None:
    files = {f"chan_12345_678_{role}_12345678d-1.py": role for role in ("client", "server")}
    names = copy(only(found_in(written(folder, files))), folder.with_name("copy"))
    assert names == {CLIENT: "client_12345678d-1.py", SERVER: "server_12345678d-1.py"}


def test_a_changed_program_has_another_digest(folder: Path) -> None:
    written(folder, {"client_12345678d.py": "1", "server_12345678d.py": "s"})
    before = only(found_in(folder)).digest()
    assert only(found_in(folder)).digest() == before
    written(folder, {"client_12345678d.py": "2"})
    assert only(found_in(folder)).digest() != before
