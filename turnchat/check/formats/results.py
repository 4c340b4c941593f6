"""The whole report as JSON: results.schema.json has its schema, FORMATS.md its fields.

It is UTF-8 and safe to show. Bytes stand in it twice, as text for a reader and in hexadecimal.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from turnchat.check.case import Role
from turnchat.check.formats.explanation import clean, clean_lines
from turnchat.check.report import CaseResult, Event, Report, Verdict
from turnchat.text import safe, safe_json

FORMAT = "turnchat-check/results/v1"


def render(report: Report) -> str:
    """Return the report as one JSON object."""
    return to_json_text(to_object(report))


def to_json_text(value: object) -> str:
    """Return indented JSON in valid UTF-8, safe to show, with a newline at its end."""
    return safe_json(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def to_object(report: Report) -> dict[str, Any]:
    """Return the object that render() writes."""
    return {
        "format": FORMAT,
        "profile": report.profile,
        "role": report.role,
        "command": [clean(word) for word in report.command],
        "commands": {role: _rows(words) for role, words in _commands(report).items()},
        "score": round(report.score, 2),
        "seconds": round(report.seconds, 3),
        "seed": report.seed,
        "counts": {verdict: report.count(verdict) for verdict in Verdict},
        "cases": [case_object(one) for one in report.cases],
    }


def case_object(result: CaseResult) -> dict[str, Any]:
    """Return the object of one case."""
    shortfall = result.shortfall
    return {
        "id": result.id,
        "group": result.group,
        "level": result.level,
        "verdict": result.verdict,
        "rule": clean(result.rule),
        "section": clean(result.section),
        "reason": clean_lines(result.reason),
        "hint": clean(result.hint),
        "seconds": round(result.seconds, 3),
        "counts": result.counts,
        "kind": shortfall and shortfall.kind,
        "step": shortfall and clean(shortfall.step),
        "awaits": shortfall and shortfall.awaits,
        "expected": shortfall and bytes_object(shortfall.expected),
        "received": shortfall and bytes_object(shortfall.received),
        "diagnosis": [clean(sentence) for sentence in result.diagnosis],
        "depends_on": result.depends_on,
        "events": [_event_object(event) for event in result.events],
        "screens": [_rows(screen) for screen in result.screens],
        "recording": None if result.recording is None else clean(result.recording),
        "runs": result.runs,
        "failures": result.failures,
    }


def bytes_object(data: bytes | None) -> dict[str, str] | None:
    """Return bytes as text for a reader, and in hexadecimal."""
    return None if data is None else {"text": clean(safe(data)), "hex": data.hex()}


def _event_object(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "type": event.type,
        "data": bytes_object(event.data) if event.data else None,
        "peer": event.peer,
        "program": event.program,
        "note": clean(event.note),
    }


def _commands(report: Report) -> Mapping[Role, Sequence[str]]:
    return report.commands or {report.role: report.command}


def _rows(screen: Sequence[str]) -> list[str]:
    return [clean(row) for row in screen]
