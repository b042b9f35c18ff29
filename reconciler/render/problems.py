"""Problems of pack files as text with a caret and as JSON: pure strings."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.core.problem import Problem, Severity, Where
from reconciler.render.lines import EMPTY, PLAIN, Line, Lines, Span, Style, Tone, line, render, width

#: Version of the JSON form; a field more does not raise it.
JSON_VERSION: Final = 1
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
    also = f", {count(warnings, 'warning')}" if warnings else ""
    if not errors:
        return f"{count(packs, 'pack')} valid{also}."
    broken = len({problem.where.path for problem in errors})
    return f"{count(len(errors), 'problem')} in {broken} of {count(files, 'file')}{also}."


def problems_json(problems: Sequence[Problem], *, packs: int, files: int) -> str:
    content = {
        "version": JSON_VERSION,
        "valid": not any(problem.is_error for problem in problems),
        "packs": packs,
        "files": files,
        "problems": [_as_mapping(problem) for problem in problems],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


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


def problem_words(problem: Problem) -> str:
    """All there is to say, for where there is one text only."""
    text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return f"{text} (see {problem.also})" if problem.also else text


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
