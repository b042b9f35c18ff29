"""What may happen during a long run, each with how often it is drawn. Several go on at once."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from reconciler.stages.call import AT_ONCE
from tests.chaos import faults
from tests.chaos.deeds import Given
from tests.chaos.scene import LEASE, Scene


@dataclass(slots=True)
class Course:
    """What goes on: deeds to be done at a time, by the clock of the process."""

    scene: Scene
    chance: Random
    given: Given = field(default_factory=Given)
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def happen(self) -> None:
        """One thing, and whatever is due."""
        self.catch_up(time.monotonic())
        names, weights = zip(*((name, weight) for name, (_, weight) in MISHAPS.items()), strict=True)
        name = self.chance.choices(names, weights)[0]
        words = MISHAPS[name][0](self)
        if words:
            self.scene.tally.note(name, words)

    def catch_up(self, until: float) -> None:
        due = [each for each in self.later if each[0] <= until]
        self.later = [each for each in self.later if each[0] > until]
        for _, deed in due:
            deed()

    def in_seconds(self, seconds: float, deed: Callable[[], None]) -> None:
        self.later.append((time.monotonic() + seconds, deed))


def _commit(course: Course) -> str:
    scene = course.scene
    words = scene.repository.change(course.chance, course.chance.choice((1, 1, 1, 2, 4)))
    scene.push()
    return words


def _revert(course: Course) -> str:
    words = course.scene.repository.revert(course.chance)
    course.scene.push()
    return words


def _hand(course: Course) -> str:
    return course.scene.workspace.by_hand(course.chance)


def _fault(course: Course) -> str:
    name = faults.inject(course.scene.workspace.control, course.chance)
    course.scene.tally.counts[f"fault: {name}"] += 1
    return name


def _knob(course: Course) -> str:
    return faults.turn_knob(course.scene.workspace.control, course.chance)


def _throttle(course: Course) -> str:
    return faults.throttle(course.scene.workspace.control, course.chance)


def _clock(course: Course) -> str:
    seconds = course.chance.choice((1, 30, 600))
    course.scene.workspace.control.advance_clock(float(seconds))
    return f"{seconds} s"


def _kill(course: Course) -> str:
    member = course.scene.fleet.one(course.chance)
    if member is None:
        return ""
    course.scene.fleet.kill(member)
    return member.name


def _terminate(course: Course) -> str:
    member = course.scene.fleet.one(course.chance)
    if member is None:
        return ""
    course.scene.fleet.tell(member)
    return member.name


def _suspend(course: Course) -> str:
    """Sometimes past its lease of 10 s."""
    fleet, member = course.scene.fleet, course.scene.fleet.one(course.chance)
    if member is None:
        return ""
    seconds = course.chance.choice((1, 4, 12))
    fleet.stop(member)
    # Each of its two hands may be in the middle of calls that are made side by side.
    course.given.late_calls += 2 * AT_ONCE * (seconds > LEASE)
    course.in_seconds(seconds, lambda: fleet.go_on(member) if member.is_stopped else None)
    return f"{member.name} for {seconds} s"


def _hang_databricks(course: Course) -> str:
    sandbox, seconds = course.scene.sandbox, course.chance.choice((0.5, 2, 6))
    sandbox.send_signal(signal.SIGSTOP)
    # Nothing here may ask it meanwhile.
    time.sleep(seconds)
    sandbox.send_signal(signal.SIGCONT)
    return f"for {seconds} s"


def _restart_database(course: Course) -> str:
    return course.scene.restart_database(course.chance)


def _cut_connections(course: Course) -> str:
    return course.scene.queue.drop(course.chance)


def _double(course: Course) -> str:
    return course.scene.queue.double(course.chance)


def _restart_queue(course: Course) -> str:
    return course.scene.queue.restart()


def _lose_git(course: Course) -> str:
    scene = course.scene
    if scene.is_git_lost:
        return ""
    seconds = course.chance.choice((1, 3, 6))
    scene.lose_git(is_lost=True)
    course.in_seconds(seconds, lambda: _find_git(scene))
    return f"for {seconds} s"


def _find_git(scene: Scene) -> None:
    if scene.is_git_lost:
        scene.lose_git(is_lost=False)
        scene.push()


def _rotate(course: Course) -> str:
    """A person at the command line."""
    names = course.scene.workspace.ours("recipient")
    folder = course.scene.person()
    if not names or folder is None:
        return ""
    course.given.rotations += 1
    name = course.chance.choice(names)
    arguments = ("rotate", name, "--overlap", "1h", "--auto-approve")
    course.scene.fleet.add(f"rotate-{course.given.rotations}", *arguments, folder=folder, stays=False)
    return name


def _apply(course: Course) -> str:
    """A second applier, in the middle of it all."""
    number = course.scene.tally.counts["apply by a person"]
    folder = course.scene.person()
    if folder is None:
        return ""
    course.scene.fleet.add(f"apply-{number}", "apply", "--auto-approve", folder=folder, stays=False)
    return "all"


MISHAPS: Final[Mapping[str, tuple[Callable[[Course], str], int]]] = {
    "commit": (_commit, 30),
    "revert": (_revert, 2),
    "hand edit": (_hand, 14),
    "fault": (_fault, 20),
    "knob turned": (_knob, 4),
    "throttled": (_throttle, 2),
    "sandbox clock advanced": (_clock, 2),
    "SIGKILL": (_kill, 6),
    "SIGTERM": (_terminate, 3),
    "SIGSTOP": (_suspend, 4),
    "Databricks hangs": (_hang_databricks, 1),
    "database restart": (_restart_database, 1),
    "messages dropped": (_cut_connections, 5),
    "messages doubled": (_double, 5),
    "queue restart": (_restart_queue, 1),
    "Git away": (_lose_git, 1),
    "rotation asked for": (_rotate, 2),
    "apply by a person": (_apply, 1),
}
