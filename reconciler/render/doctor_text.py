"""What the doctor found, as lines for people and as JSON. Pure: how bad a finding is was decided before."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from reconciler.core.checkup import Finding, Level
from reconciler.render.element_text import counted
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, pad, render

_TONES: Final = {Level.OK: Tone.ADD, Level.WARN: Tone.CHANGE, Level.FAIL: Tone.TROUBLE}
_SUBJECT: Final = 11


def doctor_text(findings: Sequence[Finding], style: Style = PLAIN) -> str:
    """A line for each, below it what to do; those of one workspace together."""
    lines: list[Line] = []
    for workspace, group in groupby(findings, key=lambda finding: finding.workspace):
        if lines:
            lines.append(EMPTY)
        if workspace:
            lines.append(line(Span(workspace, Tone.HEADING)))
        for finding in group:
            lines += _lines(finding)
    return render([*lines, EMPTY, _summary(findings)], style)


def doctor_json(findings: Sequence[Finding]) -> str:
    told = [
        {
            "subject": finding.subject,
            "level": finding.level.value,
            "workspace": finding.workspace,
            "what": finding.what,
            "advice": finding.advice,
        }
        for finding in findings
    ]
    is_well = all(finding.level is not Level.FAIL for finding in findings)
    return json.dumps({"format_version": "1.0", "is_well": is_well, "findings": told}, indent=2) + "\n"


def _lines(finding: Finding) -> Iterator[Line]:
    level = Span(pad(finding.level.value, 6), _TONES[finding.level])
    yield line(level, Span(pad(finding.subject, _SUBJECT), Tone.DIM), finding.what)
    if finding.advice:
        # What need not be done is not shouted.
        tone = Tone.DIM if finding.level is Level.OK else Tone.PLAIN
        yield line(Span(f"{' ' * (6 + _SUBJECT)}→ {finding.advice}", tone))


def _summary(findings: Sequence[Finding]) -> Line:
    numbers = Counter(finding.level for finding in findings)
    parts = [f"{numbers[Level.OK]} ok", counted(numbers[Level.WARN], "warning"), f"{numbers[Level.FAIL]} failed"]
    return line(Span(f"{counted(len(findings), 'check')}: {', '.join(parts)}.", Tone.HEADING))
