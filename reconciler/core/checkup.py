"""What a look at the parts that unattended work needs has shown, for people: a part, how it is, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    #: Work goes on, or has not begun yet.
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    #: What was looked at, in a word or two: `database`, `rights`.
    subject: str
    level: Level
    what: str
    #: What to do; empty where nothing has to be done.
    advice: str = ""
    #: Base URL of the workspace it is about; empty for what is not about one.
    workspace: str = ""
