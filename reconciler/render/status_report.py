"""What `sharepack status` tells, before it is text or JSON: packs, what holds them, what was seen of them, and who
watches. Decides which of it is worth a warning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from reconciler.core.holds import Contest, Suspension
from reconciler.core.key import Key, PackId
from reconciler.core.plan import Degraded
from reconciler.core.sighting import Sighting, notice_due
from reconciler.ports.ledger import Daemon, PackState

#: Seconds without a word from a daemon after which it counts as gone; it says something every 30.
SILENCE: Final = 120.0
#: Seconds without a look at every pack after which nobody can be sure of anything.
LATE_PASS: Final = 1800.0


@dataclass(frozen=True, slots=True)
class TokenEnd:
    key: Key
    #: Epoch milliseconds.
    ends_at: int
    #: It ends within so many days; 0: it has ended.
    days: int


@dataclass(frozen=True, slots=True)
class Report:
    states: Sequence[PackState]
    #: The database's clock.
    now: datetime
    #: How many resources of a pack were changed by hand, when that was looked for; a pack that is missing could not be
    #: looked at.
    drift: Mapping[PackId, int] | None = None
    sightings: Mapping[PackId, Mapping[Key, Sighting]] = field(default_factory=dict)
    suspensions: Mapping[PackId, Suspension] = field(default_factory=dict)
    contests: Mapping[PackId, Mapping[Key, tuple[Contest, ...]]] = field(default_factory=dict)
    #: Packs whose work failed several times in a way nobody understands.
    needing_attention: frozenset[PackId] = frozenset()
    #: Heard of within the last day, newest first.
    daemons: Sequence[Daemon] = ()
    #: Seconds since any daemon last looked at every pack; None: none ever did.
    last_full_pass: float | None = None
    #: Workspaces whose `updated_at` cannot be relied on, sorted.
    distrusted: Sequence[str] = ()

    def seen(self, pack: PackId) -> Sequence[tuple[Key, Sighting]]:
        return sorted(self.sightings.get(pack, {}).items(), key=lambda each: each[0])

    def degraded(self, pack: PackId) -> Sequence[tuple[Key, tuple[Degraded, ...]]]:
        return [(key, each.degraded) for key, each in self.seen(pack) if each.degraded]

    def token_ends(self, pack: PackId) -> Sequence[TokenEnd]:
        """Those that are worth a word."""
        now = round(self.now.timestamp() * 1000)
        ends = [(key, each.token_ends_at) for key, each in self.seen(pack) if each.token_ends_at is not None]
        found = [(key, at, notice_due(at, now)) for key, at in ends]
        return [TokenEnd(key, at, days) for key, at, days in found if days is not None]

    def silence(self, daemon: Daemon) -> float:
        """Seconds since it was heard of."""
        return max(0.0, (self.now - daemon.seen_at).total_seconds())

    @property
    def present_daemons(self) -> Sequence[Daemon]:
        return [daemon for daemon in self.daemons if self.silence(daemon) <= SILENCE]

    @property
    def leader(self) -> Daemon | None:
        return next((daemon for daemon in self.present_daemons if daemon.leads), None)

    @property
    def had_daemons(self) -> bool:
        return bool(self.daemons) or self.last_full_pass is not None

    @property
    def warnings(self) -> Sequence[str]:
        """Of the dead man's switch: whoever reads them knows that what else is told may be outdated."""
        if not self.had_daemons:
            return []
        said = []
        if not self.present_daemons:
            said.append("no daemon has been heard of lately although one ran: nobody follows Git or notices drift")
        elif self.leader is None:
            said.append("no daemon leads: nobody follows Git or notices drift until one takes over")
        if self.last_full_pass is None:
            said.append("no daemon has looked at every pack yet")
        elif self.last_full_pass > LATE_PASS:
            said.append("the last look at every pack is too long ago: what is told of the packs may be outdated")
        return said
