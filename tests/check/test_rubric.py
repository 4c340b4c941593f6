"""A rubric says where it is wrong, and what to do."""

import pytest

from turnchat.check.case import LAB
from turnchat.check.lab.rubric import By, Credit, RubricError, default_text, parse
from turnchat.check.lab.suites import cases_of, expected

KNOWN = expected(cases_of(LAB))
FILES = '[[criterion]]\nname = "Files"\npoints = 10\nby = "files"\n'
CASES = '[[criterion]]\nname = "Talk"\npoints = 20\nby = "cases"\n'
PART = '[[criterion.part]]\npoints = 20\ncases = ["frame/*"]\n'


def test_the_default_has_the_points_of_the_course() -> None:
    rubric = parse(default_text(), KNOWN)
    assert [(one.name, one.points) for one in rubric.criteria] == [
        ("Two files", 10),
        ("Name and ID", 10),
        ("Messaging one by one", 20),
        ("Easy to read", 5),
        ("Submission", 5),
    ]
    assert rubric.most == 50
    assert [one.by for one in rubric.criteria] == [
        By.FILES, By.HEADER, By.CASES, By.MARKER, By.SUBMISSION,
    ]  # fmt: skip


def test_the_default_tells_of_every_thing_that_can_be_written() -> None:
    text = default_text()
    for word in [*By, *Credit, "must_parse", "should", "round_to"]:
        assert word in text


def test_a_part_covers_cases_of_all_suites_or_of_one() -> None:
    text = CASES + PART.replace("frame/*", "server:frame/*")
    (criterion,) = parse(text, KNOWN).criteria
    (part,) = criterion.parts
    assert part.covers("server:frame/message")
    assert not part.covers("client:frame/message")
    assert part._replace(cases=["frame/*"]).covers("client:frame/message")
    assert not part._replace(cases=["frame/*"]).covers("client:turn/one")


def test_a_part_has_its_globs_for_a_name() -> None:
    assert parse(CASES + PART, KNOWN).criteria[0].parts[0].name == "frame/*"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("= 1", r"it is not TOML: .*line 1"),
        ("", r"no \[\[criterion\]\]: see turnchat-check list --rubric"),
        ("criterion = 3", r"the rubric: write \[\[criterion\]\], in two pairs"),
        ("[criterion]\nname = 1", r"the rubric: write \[\[criterion\]\]"),
        (f"titel = 'x'\n{FILES}", "the rubric: 'titel' is not known there: did you mean title"),
        (f"round_to = 0\n{FILES}", "round_to is 0, 0.01 is the least"),
        ("[[criterion]]\npoints = 3", 'criterion 1: name must be a text, like name = "..."'),
        (FILES.replace("10", "-1"), r"criterion 1 \(Files\): points must be a number, 0 or more"),
        (FILES.replace("10", "true"), "points must be a number"),
        (FILES.replace("10", "nan"), "points must be a number"),
        (FILES.replace("10", "'10'"), "points must be a number"),
        (FILES.replace('"files"', '"file"'), 'by must be one of "files", "header", "cases"'),
        (f"{FILES}must_parse = 1", "must_parse must be true or false"),
        (FILES + FILES, "two criteria have the name 'Files'"),
        (FILES + PART, 'only a criterion by = "cases" has parts'),
        (CASES, r"add a \[\[criterion.part\]\] with points and cases"),
        (CASES + PART.replace("20", "19"), "it has 20 points, but its parts have 19"),
        (CASES + PART.replace("frame/", "fram/"), "part 1: no case .* id like 'fram/\\*': see"),
        (CASES + PART.replace("frame/", "pair:frame/"), "no case that is run has an id like"),
        (CASES + PART.replace('["frame/*"]', '"frame/*"'), "cases must be a list of globs"),
        (CASES + PART + 'credit = "half"', 'credit must be one of "share", "all"'),
        (CASES + PART + "weight = 1", "'weight' is not known there: it has cases, credit"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: str) -> None:
    with pytest.raises(RubricError, match=words):
        parse(text, KNOWN)
