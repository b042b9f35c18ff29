"""The fleet of the page, from the runs: what is linear is multiplied, what is not is said where it stands."""

from dataclasses import dataclass

from tests.scale.assumed import CALL_CPU, DAY, HANDS, LARGE, READ_CPU
from tests.scale.measure import Kept
from tests.scale.result import Lived, Result

#: Connections of a process: the ledger's pool, the doorbell's, the lead's.
CONNECTIONS = 12
_POLLS = "get of nothing"


@dataclass(frozen=True, slots=True)
class Large:
    result: Result

    @property
    def calls(self) -> dict[str, float]:
        return {kind: count * self.result.factor for kind, count in self.result.days[-1].calls.items()}

    @property
    def total_calls(self) -> float:
        return self.result.days[-1].total * self.result.factor

    def calls_at(self, beat: Lived) -> float:
        return beat.total * LARGE.packs / beat.packs

    def a_day(self, name: str) -> float:
        """How often something happens, on average over all days that were lived."""
        days = self.result.days
        happened = sum(each.counts.get(name, 0.0) * each.days for each in days)
        return happened / sum(each.packs * each.days for each in days) * LARGE.packs

    @property
    def work(self) -> float:
        return self.a_day("submitted")

    @property
    def rotations(self) -> float:
        return self.a_day("rotations")

    @property
    def changes(self) -> float:
        """What people merge and what they do by hand, which is put back."""
        return max(0.0, self.work - self.rotations)

    @property
    def polls(self) -> float:
        """Of one worker process, which has nothing to do most of the time."""
        return self.result.days[-1].queue.get(_POLLS, 0.0)

    @property
    def queue(self) -> float:
        day = self.result.days[-1]
        return sum(count for name, count in day.queue.items() if name != _POLLS) * self.result.factor

    @property
    def daemon_processors(self) -> float:
        return self.result.days[-1].daemon_cpu * self.result.factor / DAY

    def row_bytes(self, table: str) -> float:
        """With its part of the indexes. The plan of one pack is weighed where each plan was of one."""
        kept = self.result.measured.change if table == "reconciler.plans" else self.result.measured.new
        return kept.bytes.get(table, 0.0) / kept.rows[table] if table in kept.rows else 0.0

    def bytes_of(self, kept: Kept) -> float:
        return sum(rows * self.row_bytes(table) for table, rows in kept.rows.items())

    def rows_a_day(self, table: str) -> float:
        measured = self.result.measured
        return self.changes * measured.change.rows.get(table, 0.0) + self.rotations * measured.rotation.rows.get(
            table, 0.0
        )

    @property
    def tables(self) -> list[str]:
        """Those that grow with every day first."""
        measured = self.result.measured
        names = {*measured.new.rows, *measured.change.rows, *measured.rotation.rows}
        return sorted(names, key=lambda name: -self.rows_a_day(name) * self.row_bytes(name))

    @property
    def rows_in_a_day(self) -> float:
        return sum(map(self.rows_a_day, self.tables))

    @property
    def bytes_in_a_day(self) -> float:
        return sum(self.rows_a_day(table) * self.row_bytes(table) for table in self.tables)

    @property
    def bytes_at_first(self) -> float:
        return sum(self.result.measured.new.rows.get(table, 0.0) * self.row_bytes(table) for table in self.tables) * (
            LARGE.packs
        )

    @property
    def commits(self) -> float:
        measured = self.result.measured
        return self.changes * measured.change.commits + self.rotations * measured.rotation.commits

    @property
    def statements(self) -> float:
        measured = self.result.measured
        return self.changes * measured.change.statements + self.rotations * measured.rotation.statements

    @property
    def log_bytes(self) -> float:
        measured = self.result.measured
        return self.changes * measured.change.log_bytes + self.rotations * measured.rotation.log_bytes

    def slope(self, name: str) -> float:
        """Of memory or CPU, for a pack: from the smallest to the largest that was thought about."""
        first, last = self.result.thoughts[0], self.result.thoughts[-1]
        rise: float = getattr(last, name) - getattr(first, name)
        return max(0.0, rise / (last.packs - first.packs))

    @property
    def held_memory(self) -> float:
        """Megabytes: all packs, and the states of one workspace."""
        before = self.result.thoughts[0].before
        states = max(0.0, self.slope("peak") - self.slope("read_peak"))
        return before + self.slope("read_peak") * LARGE.packs + states * LARGE.packs_in_workspace

    @property
    def whole_memory(self) -> float:
        """Megabytes: when all workspaces are planned at once, as after a start."""
        return self.result.thoughts[0].before + self.slope("peak") * LARGE.packs

    @property
    def read_seconds(self) -> float:
        return self.slope("read") * LARGE.packs

    @property
    def plan_seconds(self) -> float:
        return self.slope("plan_all") * LARGE.packs

    @property
    def one_plan_seconds(self) -> float:
        return self.result.thoughts[0].plan_one + self.slope("plan_one") * LARGE.packs

    @property
    def tick_seconds(self) -> float:
        return self.result.measured.tick_cpu_seconds * LARGE.packs

    def seconds_to_make(self, lived: Lived) -> float:
        """As many packs as the page's fleet, by as many processes as were run."""
        return lived.ended_at * LARGE.packs / lived.packs


#: Calls a second that one process can make, whatever it waits for.
CALLS_OF_A_PROCESS = 1 / CALL_CPU.value
PARAMETERS = (CALL_CPU, READ_CPU, HANDS)
