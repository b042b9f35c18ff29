"""The composition root: settings in, ports out. The only module that knows which adapter stands behind which port.

Adapters are imported when a command first needs them, so that `--help` and `validate` start at once.
"""

import importlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.ports.clock import Clock
from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError
from reconciler.ports.leadership import Leadership
from reconciler.ports.ledger import Ledger, LedgerError
from reconciler.ports.pack_source import PackSource
from reconciler.ports.platform import Platform, RefusedError
from reconciler.settings import Settings, SettingsError

if TYPE_CHECKING:
    from reconciler.adapters.github.credentials import Credentials
    from reconciler.adapters.postgres.portal import Portal
    from reconciler.packs.snapshot import Snapshots
    from reconciler.ports.pack_store import PackStore
    from reconciler.ports.pull_requests import PullRequests
    from reconciler.stages.doctor import Reach
    from reconciler.stages.workers import Workforce

#: Seconds after which a daemon that has not looked at every pack is taken for dead.
_FULL_PASS_WITHIN: Final = 1800.0

#: The last one imports the rest; those before it are what takes longest of that, in parts.
_OF_THE_PLATFORM: Final = (
    "reconciler.adapters.databricks",
    "google.protobuf.duration_pb2",
    "requests",
    "databricks.sdk.service.catalog",
    "databricks.sdk.service.sharing",
    "databricks.sdk.config",
    "reconciler.adapters.databricks.workspace",
)


@dataclass(frozen=True, slots=True)
class Ports:
    ledger: Ledger
    platform: Platform
    doorbell: Doorbell
    clock: Clock
    leadership: Leadership


@asynccontextmanager
async def wired(settings: Settings) -> AsyncIterator[Ports]:
    """The ports a command needs, closed at its end; a database of our own is started and stopped with them.

    Raises LedgerError or SettingsError with what to do.
    """
    from reconciler.adapters.clock import SystemClock
    from reconciler.adapters.deferred_doorbell import DeferredDoorbell
    from reconciler.adapters.postgres.leadership import PostgresLeadership

    async with AsyncExitStack() as stack:
        dsn = _dsn(settings, stack)
        ledger = await _ledger(dsn)
        stack.push_async_callback(ledger.close)
        platform = _platform(settings)
        stack.push_async_callback(platform.close)
        doorbell = DeferredDoorbell(_doorbell(settings, dsn))
        stack.push_async_callback(doorbell.close)
        leadership = PostgresLeadership(dsn)
        stack.push_async_callback(leadership.resign)
        yield Ports(ledger, platform, doorbell, SystemClock(), leadership)


@asynccontextmanager
async def examined(settings: Settings) -> "AsyncIterator[Reach]":
    """The ways to what a doctor looks at: nothing is made, and nothing brought up to date, but for the queue."""
    from reconciler.adapters.clock import SystemClock
    from reconciler.stages.doctor import Reach

    async with AsyncExitStack() as stack:
        ways = _Ways(settings, stack)
        yield Reach(
            source=pack_source(settings.packs_dir),
            ledger=ways.ledger,
            doorbell=ways.doorbell,
            platform=ways.platform,
            clock=SystemClock(),
            default_workspace=settings.databricks_host,
            revision=settings.packs_revision,
            folder=settings.packs_dir.as_posix(),
            free_space=ways.free_space if settings.domain_db_connection_string is None else None,
            full_pass_within=max(_FULL_PASS_WITHIN, 1.2 * settings.drift_interval_longest_seconds),
        )


class _Ways:
    """Each is opened when it is asked for, once, and closed with the stack."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self._platform: Platform | None = None
        self._dsn: str | None = None
        self._trouble = ""
        try:
            self._dsn = _existing_dsn(settings, stack)
        except LedgerError as error:
            self._trouble = str(error)

    async def ledger(self) -> Ledger | None:
        from reconciler.adapters.postgres.as_it_is import open_as_it_is

        if (dsn := self._reachable()) is None or (ledger := await open_as_it_is(dsn)) is None:
            return None
        self._stack.push_async_callback(ledger.close)
        return ledger

    async def doorbell(self) -> Doorbell | None:
        dsn = "" if self._settings.azure_queue_connection_string is not None else self._reachable()
        if dsn is None:
            return None
        doorbell = await _doorbell(self._settings, dsn)()
        self._stack.push_async_callback(doorbell.close)
        return doorbell

    def platform(self) -> Platform:
        if self._platform is None:
            try:
                self._platform = _platform(self._settings)
            except SettingsError as error:
                raise RefusedError(str(error)) from error
            self._stack.push_async_callback(self._platform.close)
        return self._platform

    def free_space(self) -> int:
        """Where the state directory is, or will be."""
        place = self._settings.state_dir.absolute()
        return shutil.disk_usage(next(each for each in (place, *place.parents) if each.exists())).free

    def _reachable(self) -> str | None:
        if self._trouble:
            raise LedgerError(self._trouble)
        return self._dsn


def import_platform(is_wanted: Callable[[], bool] = lambda: True) -> None:
    """What the first question to Databricks would import: as much as all the rest, and so better done in a thread while
    Git and the database are waited for; one after another, for as long as it is wanted. Asks nothing."""
    with suppress(ImportError):  # whoever asks is told
        for name in _OF_THE_PLATFORM:
            if is_wanted():
                importlib.import_module(name)


def pack_source(folder: Path) -> PackSource:
    from reconciler.adapters.git import source

    return source.pack_source(folder)


def snapshots(settings: Settings) -> "Snapshots | None":
    """None where nothing is to be kept, or there is no place for it."""
    from reconciler.adapters.kept_snapshots import KeptSnapshots

    folder = settings.cache_dir or _cache_folder()
    if folder is None or not settings.cache_megabytes:
        return None
    return KeptSnapshots(folder, settings.cache_megabytes * 1_000_000)


def _cache_folder() -> Path | None:
    """https://specifications.freedesktop.org/basedir-spec/latest/"""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        home = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return home / "sharepack"


def pack_store(settings: Settings) -> "PackStore":
    """Writes to the branch that the packs are read from; asks nothing yet."""
    from reconciler.adapters.git.storing import GitPackStore

    return GitPackStore(settings.packs_dir, settings.packs_revision)


def portal(ports: Ports) -> "Portal":
    """What the HTTP API keeps and asks, over the connections of the ledger. Closed with it."""
    from reconciler.adapters.postgres.ledger import PostgresLedger

    if not isinstance(ports.ledger, PostgresLedger):
        raise TypeError(f"{ports.ledger!r} keeps no uploads")
    return ports.ledger.portal()


def pull_requests(settings: Settings, repository: str) -> "PullRequests":
    """Of `owner/name`; asks nothing yet. Raises SettingsError."""
    from reconciler.adapters.github.pull_requests import GitHubPullRequests

    credentials = _github_credentials(settings)
    try:
        return GitHubPullRequests.open(repository, credentials, settings.github_api_url)
    except ValueError as error:
        raise SettingsError((str(error),)) from None


def workforce(ports: Ports, settings: Settings, hands: int) -> "Workforce":
    """The workers of this process; `hands` packs are worked on at the same time."""
    from reconciler.stages.workers import Workforce

    lease = settings.worker_lease_seconds
    return Workforce(
        ports.ledger, ports.platform, ports.doorbell, process_name(), hands=hands, lease=lease, clock=ports.clock
    )


def process_name() -> str:
    """How this process is known to others, in leases and among daemons."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _existing_dsn(settings: Settings, stack: AsyncExitStack) -> str | None:
    """None when it would be that of a database of our own that was never made."""
    from reconciler.adapters.embedded import has_data

    is_given = settings.domain_db_connection_string is not None
    return _dsn(settings, stack) if is_given or has_data(settings.state_dir) else None


def _dsn(settings: Settings, stack: AsyncExitStack) -> str:
    """Of the database in the settings, or of one that runs for as long as the stack is open."""
    if settings.domain_db_connection_string is not None:
        return settings.domain_db_connection_string.get_secret_value()
    from reconciler.adapters.embedded import EmbeddedPostgresError, running

    try:
        return stack.enter_context(running(settings.state_dir)).dsn
    except EmbeddedPostgresError as error:
        raise LedgerError(str(error)) from error


async def _ledger(dsn: str) -> Ledger:
    from reconciler.adapters.postgres.ledger import PostgresLedger

    return await PostgresLedger.open(dsn)


def _github_credentials(settings: Settings) -> "Credentials":
    from reconciler.adapters.github.credentials import App, Token

    key = settings.github_private_key()
    if key is not None:
        return App(settings.github_app_id, key.get_secret_value(), settings.github_app_installation_id)
    if settings.github_token is not None:
        return Token(settings.github_token.get_secret_value())
    raise SettingsError(("github_token: is missing; give GITHUB_TOKEN, or github_app_id and github_app_private_key",))


def _platform(settings: Settings) -> Platform:
    from reconciler.adapters.databricks.platform import DatabricksPlatform

    return DatabricksPlatform(
        settings.databricks_credentials(),
        in_flight=settings.databricks_in_flight,
        # A worker must not outlive its lease while it waits for an answer.
        http_timeout=min(50.0, settings.worker_lease_seconds * 0.8),
        trusted_hosts=[settings.databricks_host] if settings.databricks_host else [],
    )


def _doorbell(settings: Settings, dsn: str) -> Callable[[], Awaitable[Doorbell]]:
    secret = settings.azure_queue_connection_string

    async def notify() -> Doorbell:
        from reconciler.adapters.postgres.doorbell import PostgresDoorbell

        return await PostgresDoorbell.open(dsn)

    async def azure(connection_string: str) -> Doorbell:
        from reconciler.adapters.azure_queue.doorbell import AzureQueueDoorbell

        try:
            return await AzureQueueDoorbell.open(connection_string, settings.azure_queue_name)
        except ValueError as error:
            raise DoorbellUnavailableError(f"the queue cannot be used: {error}") from None

    return notify if secret is None else lambda: azure(secret.get_secret_value())
