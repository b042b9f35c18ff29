"""What a worker process is asked to do, and what it says afterwards, as JSON between the test and the process."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.faults.points import Point, Strike

#: Plan what is committed, submit it, work until it is done.
APPLY: Final = "apply"
#: Work until no work is left that has not ended, as `sharepack worker` would; nothing is submitted.
WORK: Final = "work"
#: Hand in a file, and work until what comes of it is done, as `sharepack serve` would.
UPLOAD: Final = "upload"
#: Finish what was left of uploads, and work.
FINISH: Final = "finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    task: str
    repository: str
    workspace: str
    database_url: str
    name: str = "worker"
    #: Connection string of an Azure queue; empty: PostgreSQL.
    queue: str = ""
    queue_name: str = ""
    #: Seconds a delivery stays hidden from others.
    visibility: float = 1
    #: Recipients whose token is to be replaced, with the overlap in seconds.
    rotations: Mapping[str, int] = field(default_factory=dict)
    #: Seconds. Long, so that a busy machine loses none: where a worker was killed, the test lets it run out.
    lease: float = 60.0
    #: Seconds that the database waits for the next statement of a transaction.
    idle: float = 15.0
    #: The commit that is applied.
    commit: str = "HEAD"
    #: The file that is handed in.
    upload: str = ""
    strike: Strike | None = None
    #: Seconds that a worker stays after all work has ended, for messages that come late.
    linger: float = 0.0
    #: Whether to make a second plan at the end.
    looks_again: bool = True

    def to_json(self) -> str:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps({**values, "strike": None if self.strike is None else self.strike.as_json()})

    @classmethod
    def from_json(cls, text: str) -> "Job":
        values = json.loads(text)
        strike = values.pop("strike")
        return cls(**values, strike=None if strike is None else Strike.from_json(strike))

    def struck(self, strike: Strike | None) -> "Job":
        return replace(self, strike=strike)


@dataclass(frozen=True, slots=True)
class Report:
    """Of a process that came to its end."""

    points: Sequence[Point]
    #: Calls of ports that failed, with what: `ledger.advance UpdateShare FenceLostError`.
    raised: Sequence[str]
    #: How the work that was waited for ended: status and reason.
    work: Sequence[tuple[str, str]]
    #: What a plan made at the end would do, or holds.
    left: Sequence[str]
    #: What the workers told: `Started`, `Performed CreateShare`, `Waiting host:1`, `Ended done`, …
    events: Sequence[str]
    #: Packs that were turned away because somebody else had submitted something since they were planned.
    outdated: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        return {
            "points": [point.as_json() for point in self.points],
            "raised": list(self.raised),
            "work": [list(each) for each in self.work],
            "left": list(self.left),
            "events": list(self.events),
            "outdated": list(self.outdated),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Report":
        points = [Point(**point) for point in given["points"]]
        work = [(status, reason) for status, reason in given["work"]]
        return cls(points, given["raised"], work, given["left"], given["events"], given["outdated"])
