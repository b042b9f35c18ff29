"""What the crash tests have counted, at the end of a run, whichever processes ran them. Named in `tests/conftest.py`:
the process that prints the summary of a parallel run loads no other."""

from collections import Counter
from typing import Any, Final

#: Recorded by a test as properties, added up over all of them.
NUMBERS: Final = ("points", "first kills", "second kills", "points not come to", "recoveries over before")
KINDS: Final = "kinds of call that a recovery was killed at"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counted: Counter[str] = Counter()
    kinds: set[str] = set()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when == "call":
            given = dict(report.user_properties)
            counted.update({name: given[name] for name in NUMBERS if name in given})
            kinds.update(given.get(KINDS, ()))
    if counted:
        words = [f"{counted[name]} {name}" for name in NUMBERS]
        terminalreporter.write_line(f"crash points: {', '.join([*words, f'{len(kinds)} {KINDS}'])}")
