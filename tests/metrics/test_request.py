"""Requests of HTTP/1, as bytes."""

import re
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnchat.metrics.request import answer, asks_for_head, head_of, overlong, status_of

GOOD = b"GET /metrics HTTP/1.1\r\nHost: localhost"


@pytest.mark.parametrize(
    "head",
    [
        GOOD,
        b"HEAD /metrics HTTP/1.1\r\nHost: localhost",
        b"GET /metrics HTTP/1.1\nHost: localhost",
        b"GET /metrics HTTP/1.0",
        b"GET /metrics HTTP/1.0\r\nHost: a",
        b"GET /metrics HTTP/1.7\r\nHost: a",  # read as the highest minor version that is known
        b"GET /metrics?name=turns HTTP/1.1\r\nHost:",
        b"GET http://localhost:9/metrics HTTP/1.1\r\nHost: localhost:9",
        b"GET HTTPS://localhost/metrics?x HTTP/1.1\r\nHost: localhost",
        b"GET /metrics HTTP/1.1\r\nhOST: a\r\nAccept: */*;q=0.1\r\nX:\t\xff ",
    ],
)
def test_requests_for_the_metrics(head: bytes) -> None:
    assert status_of(head) == HTTPStatus.OK


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /metrics",  # HTTP/0.9
        b"GET  /metrics HTTP/1.1\r\nHost: a",
        b" GET /metrics HTTP/1.1\r\nHost: a",
        b"GET /metrics HTTP/1.1 \r\nHost: a",
        b"GET /met\0rics HTTP/1.1\r\nHost: a",
        b"GET /metrics http/1.1\r\nHost: a",
        b"GET /metrics HTTP/11\r\nHost: a",
        b"G(T /metrics HTTP/1.1\r\nHost: a",
        b"GET /metrics HTTP/1.1",  # without Host
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: a",
        b"GET /metrics HTTP/1.0\r\nHost: a\r\nhost: b",
        b"GET /metrics HTTP/1.1\r\nHost : a",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\n folded",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nnothing",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: a\rb",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: \0",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\n: no name",
        b"\x16\x03\x01\x02\x00\x01",  # TLS
        b"005hello",
    ],
)
def test_what_is_no_request(head: bytes) -> None:
    assert status_of(head) == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/metrics/",
        b"/Metrics",
        b"//metrics",
        b"*",
        b"metrics",
        b"http://metrics",
        b"/?metrics",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_other_pages_are_not_there(method: bytes, target: bytes) -> None:
    head = b"%b %b HTTP/1.1\r\nHost: a" % (method, target)
    assert status_of(head) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"get", b"M-SEARCH"])
def test_other_methods_are_not_allowed(method: bytes) -> None:
    assert status_of(GOOD.replace(b"GET", method)) == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("version", [b"2.0", b"0.9", b"3.1"])
def test_other_versions(version: bytes) -> None:
    head = b"GET /metrics HTTP/%b\r\nHost: a" % version
    assert status_of(head) == HTTPStatus.HTTP_VERSION_NOT_SUPPORTED


@pytest.mark.parametrize(
    ("data", "head"),
    [
        (GOOD + b"\r\n\r\n", GOOD),
        (GOOD + b"\n\n", GOOD),
        (b"\r\n\r\n" + GOOD + b"\r\n\r\n", GOOD),
        (GOOD + b"\r\n\r\ncontent\r\n\r\n", GOOD),
        (GOOD + b"\r\n", None),
        (GOOD + b"\r\r", None),
        (b"\r\n\r\n", None),
        (b"", None),
    ],
)
def test_a_head_ends_with_an_empty_line(data: bytes, head: bytes | None) -> None:
    assert head_of(data) == head


def test_only_head_wants_no_content() -> None:
    assert asks_for_head(b"HEAD /metrics HTTP/1.1")
    assert not asks_for_head(GOOD)
    assert not asks_for_head(b"HEADS /metrics HTTP/1.1")


def test_too_much_is_too_much_of_the_first_line_or_of_the_fields() -> None:
    assert overlong(b"\r\nGET /" + b"a" * 4000) == HTTPStatus.REQUEST_URI_TOO_LONG
    assert overlong(b"GET / HTTP/1.1\r\nA: " + b"a" * 4000) == (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    )


def test_an_answer_has_its_fields_and_its_content() -> None:
    made = answer(HTTPStatus.OK, "text/plain", b"hello", with_content=True)
    head, _, content = made.partition(b"\r\n\r\n")
    first, date, *fields = head.decode().split("\r\n")
    assert (first, content) == ("HTTP/1.1 200 OK", b"hello")
    day = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    assert re.fullmatch(rf"Date: {day}", date)
    assert fields == ["Content-Type: text/plain", "Content-Length: 5", "Connection: close"]


def test_an_answer_without_content_has_its_length() -> None:
    made = answer(HTTPStatus.OK, "text/plain", b"hello", with_content=False)
    assert made.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: 5\r\n" in made


def test_a_method_that_is_not_allowed_hears_of_those_that_are() -> None:
    made = answer(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"", with_content=True)
    assert b"\r\nAllow: GET, HEAD\r\n" in made
    made = answer(HTTPStatus.NOT_FOUND, "text/plain", b"", with_content=True)
    assert b"Allow" not in made


pieces = st.sampled_from(
    [
        b"GET",
        b"HEAD",
        b" ",
        b"/metrics",
        b"HTTP/1.1",
        b"\r\n",
        b"\n",
        b"Host",
        b":",
        b"\0",
        b"http://",
    ]
)


@given(st.binary(max_size=60) | st.lists(pieces, max_size=20).map(b"".join))
def test_no_bytes_are_without_an_answer(data: bytes) -> None:
    head = head_of(data)
    assert head is None or status_of(head) in HTTPStatus
