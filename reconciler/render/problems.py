"""Problems of pack files as text with a caret, JSON, GitHub annotations and SARIF: pure strings."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.problem import Problem, Severity, Where
from reconciler.render.lines import EMPTY, PLAIN, Line, Lines, Span, Style, Tone, line, render, visible, width

#: Version of the JSON form; a field more does not raise it.
JSON_VERSION: Final = 1
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
#: How much of a long line is shown on either side of the caret.
_BEFORE: Final = 60
_AFTER: Final = 100
_TONES: Final = {Severity.ERROR: Tone.TROUBLE, Severity.WARNING: Tone.CHANGE}
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def problems_text(problems: Iterable[Problem], excerpts: Mapping[Where, str], style: Style = PLAIN) -> str:
    """`excerpts` has the line or the cell's value for each place that is to be shown with its surroundings."""
    return render([each for problem in problems for each in _lines(problem, excerpts)], style)


def summary_text(*, packs: int, files: int, problems: Sequence[Problem]) -> str:
    """`2 problems in 1 of 23 files.`, or `23 packs valid.`"""
    errors = [problem for problem in problems if problem.is_error]
    warnings = len(problems) - len(errors)
    also = f", {_count(warnings, 'warning')}" if warnings else ""
    if not errors:
        return f"{_count(packs, 'pack')} valid{also}."
    broken = len({problem.where.path for problem in errors})
    return f"{_count(len(errors), 'problem')} in {broken} of {_count(files, 'file')}{also}."


def problems_json(problems: Sequence[Problem], *, packs: int, files: int) -> str:
    content = {
        "version": JSON_VERSION,
        "valid": not any(problem.is_error for problem in problems),
        "packs": packs,
        "files": files,
        "problems": [_as_mapping(problem) for problem in problems],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def problems_github(problems: Iterable[Problem]) -> str:
    """Workflow commands, which GitHub shows at the line of the pull request."""
    return "".join(_github(problem) + "\n" for problem in problems)


def problems_sarif(problems: Sequence[Problem], rules: Mapping[str, str], version: str) -> str:
    """SARIF 2.1.0 for code scanning; paths are relative to the repository's top."""
    positions = {rule: number for number, rule in enumerate(rules)}
    driver = {
        "name": "sharepack",
        "semanticVersion": version,
        "rules": [{"id": rule, "shortDescription": {"text": meaning}} for rule, meaning in rules.items()],
    }
    results = [_result(problem, positions) for problem in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _lines(problem: Problem, excerpts: Mapping[Where, str]) -> Lines:
    word = Span(f"{_LEVELS[problem.severity]}:", _TONES[problem.severity])
    head = line(Span(f"{problem.where}:", Tone.HEADING), " ", word, " ", problem.message, " ")
    lines: list[Line] = [(*head, Span(f"[{problem.rule}]", Tone.DIM))]
    if problem.where in excerpts:
        lines.extend(_excerpt(problem, excerpts[problem.where]))
    if problem.hint:
        lines.append(line("    ", Span("hint:", Tone.DIM), " ", problem.hint))
    if problem.also is not None:
        lines.append(line("    ", Span("see:", Tone.DIM), " ", str(problem.also)))
    return [*lines, EMPTY]


def _excerpt(problem: Problem, text: str) -> Iterable[Line]:
    place = problem.where
    gutter = place.cell or str(place.line)
    if place.cell:
        yield line(Span(f"    {gutter} | ", Tone.DIM), _cut(text, _AFTER) or "(empty)")
        return
    start = max(0, place.column - 1 - _BEFORE)
    before, marked = text[start : place.column - 1], _token(text[place.column - 1 :])
    after = _cut(text[place.column - 1 + len(marked) :], max(0, _AFTER - len(marked)))
    lead = "..." if start else ""
    yield line(Span(f"    {gutter} | ", Tone.DIM), f"{lead}{before}{marked}{after}")
    indent = " " * (width(lead) + width(before))
    yield line(
        Span(f"    {' ' * len(gutter)} | ", Tone.DIM),
        indent,
        Span("^" * max(1, width(marked)), _TONES[problem.severity]),
    )


def _token(text: str) -> str:
    """The value that starts here: to its closing quote, or to where a plain one ends."""
    if text[:1] in {'"', "'"}:
        end = text.find(text[0], 1)
        return text[: end + 1] if 0 < end < _AFTER else text[:1]
    for stop in (": ", " #"):
        text = text.partition(stop)[0]
    return text.rstrip(":, ]}")[:_AFTER] or text[:1]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}..."


def _as_mapping(problem: Problem) -> Mapping[str, Any]:
    found = {
        "severity": problem.severity.value,
        "rule": problem.rule,
        "message": problem.message,
        "hint": problem.hint,
        "where": _place(problem.where),
    }
    return found if problem.also is None else {**found, "also": _place(problem.also)}


def _place(place: Where) -> Mapping[str, Any]:
    if place.sheet:
        return {"path": place.path, "sheet": place.sheet, "cell": place.cell}
    return {"path": place.path, "line": place.line, "column": place.column} if place.line else {"path": place.path}


def _github(problem: Problem) -> str:
    place = problem.where
    spot = f",line={place.line},col={place.column}" if place.line else ""
    cell = f" {place.sheet}!{place.cell}" if place.cell else f" {place.sheet}" if place.sheet else ""
    title = _github_property(f"{problem.rule}{cell}")
    file = _github_property(place.path)
    return f"::{_LEVELS[problem.severity]} file={file}{spot},title={title}::{_github_data(_words(problem))}"


def _github_data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return visible(escaped)


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")


def _words(problem: Problem) -> str:
    text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return f"{text} (see {problem.also})" if problem.also else text


def _result(problem: Problem, positions: Mapping[str, int]) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": positions[problem.rule],
        "level": _LEVELS[problem.severity],
        "message": {"text": visible(_words(problem))},
        "locations": [_location(problem.where)],
    }
    if problem.also is not None:
        result["relatedLocations"] = [_location(problem.also)]
    return result


def _location(place: Where) -> Mapping[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path.encode("utf-8", "surrogateescape"))}}
    if place.line:
        physical["region"] = {"startLine": place.line, "startColumn": place.column}
    if not place.sheet:
        return {"physicalLocation": physical}
    name = f"{place.sheet}!{place.cell}" if place.cell else place.sheet
    return {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": name, "kind": "object"}]}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
