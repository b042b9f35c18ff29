"""What the application is built from: ports, stages and settings, handed in by whoever starts it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.ports.archive import Archive
from reconciler.ports.clock import Clock
from reconciler.ports.inbox import Inbox
from reconciler.ports.kept_plans import KeptPlans
from reconciler.ports.keyring import Keyring
from reconciler.ports.ledger import Ledger
from reconciler.settings import Settings
from reconciler.stages.receive import Receiving


@dataclass(frozen=True, slots=True)
class Health:
    is_database_connected: bool
    is_queue_connected: bool
    #: Of the 16.
    tables: int


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    receiving: Receiving
    archive: Archive
    inbox: Inbox
    keyring: Keyring
    ledger: Ledger
    plans: KeptPlans
    clock: Clock
    #: Never raises; `health.look` is one.
    health: Callable[[], Awaitable[Health]]
    #: What would be done for this pack now. Raises LedgerError and PackSourceError.
    live_plan: Callable[[PackId], Awaitable[Plan]]
    #: Strikes out secrets, should a text that leaves the process ever hold one.
    scrub: Callable[[str], str] = field(default=lambda text: text, repr=False)
    #: Seconds between looks for what happened, between signs of life, and after which a stream ends by itself: who
    #: listens comes back with the id of the last event.
    events_every: float = 1.0
    heartbeat_every: float = 15.0
    longest_stream: float = 3600.0
