"""A day of open pull requests, by `daemon.pull_requests` at worst (a plan is shown when a pull request is new, and
again when what it goes into has a new commit, as if each had to do with all) and by workflows (a plan for each push):
how often one is shown, and what that asks of GitHub."""

import random
from dataclasses import dataclass
from math import ceil

from tests.scale.assumed import DAY, OPEN_FOR, PULLS, WORKING_HOURS

#: Requests, counted in `stages.present` and `adapters.github`: the pull request; its comments, ours; its labels, one;
#: the status.
SHOW_REQUESTS = 6
#: Of those, what GitHub counts as content: the comment, the label, the status.
SHOW_WRITES = 3
#: What stands behind a merged one and telling it: pulls of the commit, the pull, its reviews twice, its comments twice,
#: who wrote them, a comment.
MERGED_REQUESTS = 9
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Pulls:
    merged: int
    #: On average, and the most at once.
    open: float
    most_open: int
    shown_by_daemon: int
    daemon_requests: int
    #: In the busiest hour.
    daemon_requests_an_hour: int
    workflow_requests: int
    workflow_requests_an_hour: int
    workflow_writes_an_hour: int


def day_of_pulls(merged: int, seed: int) -> Pulls:
    """`merged` in working hours of each of three days, of which the second is counted."""
    chance = random.Random(seed)
    merges = sorted(_moments(merged, chance))
    opened = [at - OPEN_FOR.value * 3600 for at in merges]
    shown = requests = looks = open_sum = most_open = 0
    by_hour, workflow_by_hour = [0] * 24, [0] * 24
    last = DAY - PULLS.value
    for look in range(int(DAY), int(2 * DAY), int(PULLS.value)):
        there = [at for at, until in zip(opened, merges, strict=True) if at <= look < until]
        has_moved = any(last < at <= look for at in merges)
        new = sum(last < at for at in there)
        shows = len(there) if has_moved else new
        asked = max(1, ceil(len(there) / _PAGE)) + shows * SHOW_REQUESTS
        asked += MERGED_REQUESTS * sum(last < at <= look for at in merges)
        hour = int(look - DAY) // 3600
        by_hour[hour] += asked
        workflow_by_hour[hour] += new
        shown, requests, looks = shown + shows, requests + asked, looks + 1
        open_sum, most_open, last = open_sum + len(there), max(most_open, len(there)), look
    return Pulls(
        merged=merged,
        open=open_sum / looks,
        most_open=most_open,
        shown_by_daemon=shown,
        daemon_requests=requests,
        daemon_requests_an_hour=max(by_hour),
        workflow_requests=merged * SHOW_REQUESTS,
        workflow_requests_an_hour=max(workflow_by_hour) * SHOW_REQUESTS,
        workflow_writes_an_hour=max(workflow_by_hour) * SHOW_WRITES,
    )


def _moments(merged: int, chance: random.Random) -> list[float]:
    first, hours = 8 * 3600.0, WORKING_HOURS.value * 3600
    return [day * DAY + first + chance.random() * hours for day in range(3) for _ in range(merged)]
