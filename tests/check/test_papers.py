"""The report of a student: short enough to be read, and it leads to the pages."""

from tests.support.evidence import fallen, passed, says, shows, skipped
from turnchat.check.case import CLIENT, SERVER
from turnchat.check.formats.diagram import columns_of
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.hand_ins.pairs import HandIn
from turnchat.check.lab.inspection.header import Header
from turnchat.check.lab.inspection.look import Look
from turnchat.check.lab.marks import Marks, Score
from turnchat.check.lab.papers import class_report, student_page, text_report
from turnchat.check.lab.problems import problems_of
from turnchat.check.lab.rubric import Rubric
from turnchat.check.report import CaseResult

RUBRIC = Rubric("Lab", [])
MARKS = Marks([Score("Messages", 5.0, 20, "they are not whole"), Score("Style", None, 5)])


def short(name: str, mistake: str) -> CaseResult:
    result = fallen(says(b"5hello"), expected=b"005hello", received=b"5hello", name=name)
    return result._replace(diagnosis=[mistake])


def handed_in(**suites: list[CaseResult]) -> Work:
    work = Work(HandIn("1d", "1d", "Ana", {}, {}, None, [], True), {}, "digest")
    work.results = {name: {one.id: one for one in them} for name, them in suites.items()}
    return work


def text_of(work: Work) -> str:
    return text_report(work, RUBRIC, MARKS)


def test_three_mistakes_are_explained_of_each_suite_the_first() -> None:
    servers = [short(f"frame/{number}", f"Mistake {number}: so.") for number in range(40)]
    clients = [short(f"turn/{number}", f"Mistake {number}: so.") for number in range(40)]
    text = text_of(handed_in(server=servers, client=clients))
    assert [line.split()[2] for line in text.splitlines() if line.startswith("━━")] == [
        "frame/0", "turn/0", "frame/1",
    ]  # fmt: skip
    assert text.count("FAIL  frame/") == 40 + 2
    assert len(text.splitlines()) < 200
    first = text.index("━━")
    assert text.index("5 of 25 points, 5 more are left to the marker") < first
    assert text.index("FAIL  turn/39") < text.index("Mend this first; your teacher") < first
    assert ".html" not in text
    assert "The client, with the checker:\n━━ FAIL  turn/0 ━" in text


def test_cases_that_were_not_tried_are_counted() -> None:
    waiting = [skipped(f"turn/{number}", "frame/a") for number in range(3)]
    waiting = [one._replace(reason="it needs frame/a, which falls short") for one in waiting]
    text = text_of(handed_in(server=[short("frame/a", "So."), *waiting]))
    assert "3 cases were not tried: they need frame/a, which falls short\n" in text
    text = text_of(handed_in(server=[short("frame/a", "So."), *waiting[:1]]))
    assert "1 case was not tried: it needs frame/a, which falls short\n" in text


def test_a_report_without_a_mistake_explains_nothing() -> None:
    text = text_of(handed_in(server=[passed("frame/a")]))
    assert "The server, with the checker: 1 of 1 rules hold" in text
    assert "Mend this first" not in text


LONG = (
    "The length counts characters, not bytes: 003日本語 came, and 009日本語 is right for the text."
)


def test_no_mistake_is_cut_in_a_file() -> None:
    cases = [short(f"frame/split/{number}", LONG) for number in range(12)]
    lines = text_of(handed_in(server=cases)).splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("FAIL  frame/split/0"))
    listed = "\n".join(lines[first : lines.index("", first)])
    assert " ".join(listed[31:].split()).startswith(LONG)
    assert all(f"frame/split/{number}" in listed for number in range(12))
    assert "…" not in listed
    assert all(columns_of(line) <= 80 for line in lines)


def test_the_linter_is_quoted_whole() -> None:
    look = Look(Header("", None, None), None, ["word " * 40], 1)
    work = handed_in()
    work.looks = {SERVER: look}
    lines = text_of(work).splitlines()
    assert sum(line.count("word") for line in lines) == 40
    assert all(len(line) <= 80 for line in lines)


def test_a_program_that_prints_without_end_has_a_short_report() -> None:
    endless = fallen(shows(b"y\r\n" * 999), received=b"ab" * 5000, screen=("y" * 300,) * 200)
    text = text_of(handed_in(server=[endless]))
    assert "lines are left out" in text
    assert len(text.splitlines()) < 120


def test_the_parts_of_a_remark_have_lines_of_their_own() -> None:
    marks = Marks([Score("Messages", 5.0, 20, "whole: 1 of 2 hold; in turn: 0 of 2 hold")])
    text = text_report(handed_in(), RUBRIC, marks)
    assert f"{' ' * 15}whole: 1 of 2 hold\n{' ' * 15}in turn: 0 of 2 hold\n" in text


def test_the_page_of_a_student_names_mistakes_or_reasons() -> None:
    reason = "the program sent other bytes; its last lines: b; c"
    cases = [short("frame/a", "The length is wrong: 5."), fallen(name="frame/b", reason=reason)]
    page = student_page(handed_in(server=cases), RUBRIC, MARKS, "1d")
    assert "<span>The length is wrong: 5.</span>" in page
    assert "<span>the program sent other bytes</span>" in page


def test_equal_mistakes_are_one_on_the_page_of_a_student() -> None:
    cases = [short("end/a", "It hangs: 5."), short("end/b", "It hangs: 5."), short("end/c", "No.")]
    page = student_page(handed_in(server=cases), RUBRIC, MARKS, "1d")
    assert page.count("<span>It hangs: 5.</span>") == 1
    link = '<a href="1d.server.html#end/b"><code>end/b</code></a>'
    assert f"<small>also {link}</small>" in page
    assert page.count("also ") == 1
    reasons = [fallen(name="end/a"), fallen(name="end/b")]
    page = student_page(handed_in(server=reasons), RUBRIC, MARKS, "1d")
    assert page.count("<span>the program sent other bytes</span>") == 1


def test_ids_in_a_remark_lead_to_the_reports_that_there_are() -> None:
    marks = Marks([Score("Talk", 5.0, 20, "whole: 1 of 3 hold, not server:end/a, client:end/b")])
    page = student_page(handed_in(server=[short("end/a", "So.")]), RUBRIC, marks, "1d")
    assert '<a href="1d.server.html#end/a"><code>server:end/a</code></a>, <code>client:' in page


def with_id(key: str, *ids: str | None) -> Work:
    looks = {
        role: Look(Header("", None, one), None, [], 1)
        for role, one in zip((SERVER, CLIENT), ids, strict=False)
    }
    number = key.partition(":")[2]
    return Work(HandIn(key, number, "", {}, {}, None, [], True), looks, "")


def test_an_id_at_the_top_serves_where_the_export_has_a_number_of_its_own() -> None:
    assert with_id("moodle:1034419", "22000009d", "22000009d").id == "22000009d"
    assert with_id("moodle:1034419", "22000009d", "22000008d").id == "1034419"
    assert with_id("moodle:1034419", "22000009d", None).id == "1034419"
    assert with_id("id:22000001d", "22000009d", "22000009d").id == "22000001d"
    assert with_id("blackboard:22000001d", "22000009d").id == "22000001d"
    assert with_id("folder:a/Ana", "22000009d").id == "22000009d"
    assert with_id("folder:a/22000001d", "22000009d").id == "22000001d"


def test_the_marker_hears_where_an_id_comes_from() -> None:
    assert problems_of(with_id("moodle:1034419", "22000009d")) == [
        "its ID, 22000009d, is known from the top of its programs alone"
    ]
    assert problems_of(with_id("moodle:1034419", "22000009d", "22000008d")) == [
        "the IDs at the top of its programs differ: 22000008d, 22000009d"
    ]
    assert problems_of(with_id("id:22000001d", "22000001d")) == []


def test_files_of_the_class_are_named_from_the_students_folder() -> None:
    folder = "Ana Kovacs_1034411_assignsubmission_file"
    work = handed_in()
    work.hand_in = work.hand_in._replace(paths={SERVER: f"{folder}/server_1d.py"})
    page = class_report([work], RUBRIC, [MARKS], ["reports/1d"])
    assert '<td class="files" data-value="server_1d.py">server_<wbr>1d.py</td>' in page
    assert "assignsubmission" not in page
