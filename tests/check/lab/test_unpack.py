"""Zip files of strangers are unpacked within bounds, and each row says what was left out."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.check.test_hand_ins import found_in, only, written
from turnchat.check.lab.hand_ins import pairs, search
from turnchat.check.lab.hand_ins.unpack import MOST_SHOWN, Budget, unpack

NUMBER, OTHER = "12345678d", "87654321d"
NOTHING = "no program found: no file is called client_ID or server_ID"
GOOD = {f"{role}_{NUMBER}.py": role.encode() for role in ("client", "server")}
MIB = 1 << 20


def zipped(
    entries: Mapping[str, bytes], mode: int = 0, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return a zip file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, method
            archive.writestr(entry, text)
    return data.getvalue()


def encrypted(data: bytes) -> bytes:
    """Return a zip file whose entries say that they are encrypted."""
    made = bytearray(data)
    for begin, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = made.find(begin)
        while at >= 0:
            made[at + flags] |= 1
            at = made.find(begin, at + 1)
    return bytes(made)


def unpacked(data: bytes, folder: Path, budget: Budget | None = None) -> list[str]:
    """Unpack a zip file into `out`; return the sentences."""
    path = folder / "it.zip"
    path.write_bytes(data)
    return unpack(path, folder / "out", budget or Budget("a student", 100, MIB))


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in (folder / "out").rglob("*") if one.is_file())


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def bytes_in(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


# Entries


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../out.py", "leads out"),
        ("/out.py", "leads out"),
        ("\\out.py", "leads out"),
        ("a/../../out.py", "leads out"),
        ("a\\..\\..\\out.py", "leads out"),
        ("C:\\out.py", "leads out"),
        ("x" * 201 + ".py", "has a name of over 200 bytes"),
        ("a/" * 2000 + "out.py", "lies too deep"),
    ],
)
def test_an_entry_with_an_unfit_name_is_left_out(name: str, words: str, tmp_path: Path) -> None:
    (left_out,) = unpacked(zipped({name: b"x", "in.py": b"y"}), tmp_path)
    assert f" {words}" in left_out
    assert [one.name for one in tmp_path.rglob("*.py")] == ["in.py"]


@pytest.mark.parametrize("name", [b"M\xc3\xbcnch.py", b"M\x81nch.py"], ids=["UTF-8", "cp437"])
def test_a_name_is_read_whatever_it_is_written_in(name: bytes, tmp_path: Path) -> None:
    """No flag tells of either."""
    stand_in = b"x" * len(name)
    data = zipped({stand_in.decode(): b"y"}).replace(stand_in, name)
    assert unpacked(data, tmp_path) == []
    assert [one.name for one in tmp_path.rglob("*.py")] == ["Münch.py"]


def test_a_link_in_a_zip_file_is_left_out(tmp_path: Path) -> None:
    data = zipped({"link": b"/etc/passwd"}, stat.S_IFLNK | 0o777)
    assert unpacked(data, tmp_path) == ["'link' is a symbolic link: left out"]
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_entry_is_left_out_whole_and_is_told(method: int, tmp_path: Path) -> None:
    text = b"".join(b"%d" % number for number in range(40_000))
    data = bytearray(zipped({"a.py": text, "b.py": b"fine"}, method=method))
    middle = data.find(b"PK\x03\x04", 4) // 2
    data[middle : middle + 64] = b"\xff" * 64
    (left_out,) = unpacked(bytes(data), tmp_path)
    assert left_out.startswith("'a.py' is damaged: left out (")
    assert "None" not in left_out
    assert names_in(tmp_path) == ["b.py"]


@pytest.mark.parametrize("second", ["a.py", "a.py/b.py"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_told(second: str, tmp_path: Path) -> None:
    data = zipped({"a.py": b"1", "x" * len(second): b"2"})
    data = data.replace(b"x" * len(second), second.encode())
    assert unpacked(data, tmp_path) == [f"{second!r} is there twice: the first one is taken"]
    assert (tmp_path / "out" / "a.py").read_bytes() == b"1"


def test_many_entries_that_are_left_out_are_counted(tmp_path: Path) -> None:
    sentences = unpacked(zipped({f"../{nth}": b"" for nth in range(30)}), tmp_path)
    assert len(sentences) == MOST_SHOWN + 1
    assert sentences[-1] == "25 more entries are left out"


def test_a_large_zip_file_of_the_64_bit_form_is_unpacked(tmp_path: Path) -> None:
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w") as archive,
        archive.open("a.py", "w", force_zip64=True) as file,
    ):
        file.write(b"1")
    assert unpacked(data.getvalue(), tmp_path) == []
    assert names_in(tmp_path) == ["a.py"]


# Bounds


@pytest.mark.parametrize(
    ("files", "size", "words"),
    [(1, MIB, "a student may have 1 files"), (9, MIB - 1, "a student may have 0 MiB")],
)
def test_a_zip_file_is_unpacked_whole_or_not_at_all(
    files: int, size: int, words: str, tmp_path: Path
) -> None:
    data = zipped({"a.dat": bytes(MIB - 1), "b.dat": b"x"})
    assert unpacked(data, tmp_path, Budget("a student", files, size)) == [
        f"not unpacked: the zip files of {words} in all"
    ]
    assert names_in(tmp_path) == []


def test_a_size_that_is_a_lie_is_no_way_round(tmp_path: Path) -> None:
    data = zipped({"a.dat": bytes(MIB)})
    data = data.replace(struct.pack("<L", MIB), struct.pack("<L", 10))
    (left_out,) = unpacked(data, tmp_path, Budget("a student", 9, 10))
    assert left_out.startswith("'a.dat' is damaged: left out")
    assert bytes_in(tmp_path / "out") == 0


def test_zip_files_in_a_zip_file_have_one_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STUDENT", ("a student", 100, 3 * MIB))
    bomb = zipped({"zeros": bytes(2 * MIB)})
    files = {
        f"{NUMBER}.zip": zipped({**GOOD, **{f"{nth}.zip": bomb for nth in range(9)}}),
        f"{OTHER}.zip": zipped({f"server_{OTHER}.py": b"s", "fine.zip": bomb}),
    }
    found = found_in(put(tmp_path / "class", files))
    first, second = found.hand_ins
    assert len(first.problems) == 8
    over = "not unpacked: the zip files of a student may have 3 MiB in all"
    assert first.problems[0] == f"{NUMBER}.zip/1.zip: {over}"
    assert first.is_in_order
    assert second.problems == ["there is no client"]
    assert bytes_in(tmp_path / "scratch") < 5 * MIB


def test_a_zip_file_without_an_id_has_one_budget_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STUDENT", ("a student", 100, 3 * MIB))
    bomb = zipped({"zeros": bytes(2 * MIB)})
    data = zipped({f"{nth}/it.zip": bomb for nth in range(4)})
    found_in(put(tmp_path / "class", {"Ana/it.zip": data, "Bo.zip": data}))
    assert bytes_in(tmp_path / "scratch") < 5 * MIB


@pytest.mark.parametrize("place", ["Ana_7_assignsubmission_file_/{}.zip", "12345678d/{}/a.zip"])
def test_zip_files_side_by_side_have_one_budget(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STUDENT", ("a student", 100, 3 * MIB))
    bomb = zipped({"zeros": bytes(2 * MIB)})
    hand_in = only(found_in(put(tmp_path / "class", {place.format(n): bomb for n in range(4)})))
    assert hand_in.problems[0] == NOTHING
    assert sum("may have 3 MiB in all" in one for one in hand_in.problems) == 3
    assert bytes_in(tmp_path / "scratch") == 2 * MIB


def test_the_zip_files_of_a_class_have_a_budget_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "CLASS", ("a class", 100, 3 * MIB))
    data = zipped({"zeros": bytes(2 * MIB)})
    found = found_in(put(tmp_path / "class", {f"{n}2345678d.zip": data for n in range(3)}))
    over = "not unpacked: the zip files of a class may have 3 MiB in all"
    assert [one.problems[-1].partition(": ")[2] for one in found.hand_ins[1:]] == [over] * 2
    assert bytes_in(tmp_path / "scratch") == 2 * MIB


def test_the_only_zip_file_beside_programs_is_no_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STUDENT", ("a student", 100, MIB))
    files = {f"server_{OTHER}.py": b"s", f"{NUMBER}.zip": zipped({"zeros": bytes(2 * MIB)})}
    found_in(put(tmp_path / "class", files))
    assert bytes_in(tmp_path / "scratch") == 0


def test_what_tools_leave_behind_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STUDENT", ("a student", 2, MIB))
    files = {**GOOD, "venv/lib/a.py": b"x", "__MACOSX/._a": b"x", "._a.py": b"x"}
    others = {f"{OTHER}/{name}": text for name, text in GOOD.items()}
    found = found_in(put(tmp_path / "class", {f"{NUMBER}.zip": zipped(files), **others}))
    assert found.hand_ins[0].is_in_order
    assert len(list((tmp_path / "scratch").rglob("*.py"))) == len(GOOD)


# Rows


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("it.rar", b"Rar!", "it is no zip file, and is not read: unpack it"),
        ("it.zip", b"Rar!", "it is damaged, or no zip file: not unpacked (File is not a zip file)"),
        ("it.zip", zipped(GOOD)[:-30], "it is damaged, or no zip file: not unpacked ("),
        ("it.zip", encrypted(zipped(GOOD)), "not unpacked: it is encrypted"),
        ("it.zip", zipped({}), "not unpacked: there is no file in it"),
    ],
)
@pytest.mark.parametrize(
    "folder", [f"{OTHER}/", "Ana_7_assignsubmission_file_/", "Ana/"], ids=["id", "moodle", "name"]
)
def test_the_row_says_why_there_is_no_program(
    folder: str, name: str, data: bytes, words: str, tmp_path: Path
) -> None:
    files = {f"{NUMBER}/{name}": text for name, text in GOOD.items()}
    found = found_in(put(tmp_path / "class", {**files, f"{folder}{name}": data}))
    (hand_in,) = (one for one in found.hand_ins if not one.files)
    assert hand_in.problems[0] == NOTHING
    assert hand_in.problems[1].startswith(f"{folder}{name}: {words}")
    assert len(hand_in.problems) == 2
    assert found.notices == []


@pytest.mark.parametrize("suffix", ["rar", "zip", "tar.gz"])
def test_an_archive_with_an_id_in_a_flat_class_has_a_row(suffix: str, tmp_path: Path) -> None:
    found = found_in(put(tmp_path / "class", {**GOOD, f"Ana {OTHER}.{suffix}": b"Rar!"}))
    (hand_in,) = (one for one in found.hand_ins if not one.files)
    assert (hand_in.id, hand_in.name) == (OTHER, "Ana")
    assert hand_in.problems[1].startswith(f"Ana {OTHER}.{suffix}: it is ")


def test_a_program_of_a_flat_class_that_cannot_be_looked_at_has_a_row(tmp_path: Path) -> None:
    folder = written(tmp_path / "class", {f"server_{NUMBER}.py": "s"})
    for number in NUMBER, OTHER:
        (folder / f"client_{number}.py").symlink_to(f"server_{NUMBER}.py")
    found = pairs.find(folder, tmp_path / "scratch")
    assert [one.problems for one in found.hand_ins] == [
        ["there is no client", f"client_{NUMBER}.py: it is a symbolic link: not followed"],
        [NOTHING, f"client_{OTHER}.py: it is a symbolic link: not followed"],
    ]


def test_a_notice_of_no_hand_in_is_one_line_of_plain_text(tmp_path: Path) -> None:
    folder = put(tmp_path / "class", GOOD)
    (folder / "a\n\x1b[2J\u202e").symlink_to("/")
    assert found_in(folder).notices == ["a\\n\\x1b[2J\\u202e: it is a symbolic link: not followed"]
