"""One SDK client of one workspace, tamed: quiet, bounded, patient only where repeating is harmless.

It makes calls and says what came of them; what is called is not its business. Everything here runs in threads.
"""

import email.utils
import logging
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import databricks.sdk
import requests
from databricks.sdk.clock import Clock
from databricks.sdk.config import Config
from databricks.sdk.environments import ALL_ENVS
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool

from reconciler.adapters.databricks.client import Client
from reconciler.adapters.databricks.exchange import Exchange, Outcome, outcome_of
from reconciler.adapters.databricks.failures import RAISED, failure_of, was_unsent
from reconciler.adapters.databricks.federation import GITHUB, github_jobs
from reconciler.adapters.databricks.limiter import Limiter, UnreachableError
from reconciler.adapters.databricks.sign_in import bound_sign_in
from reconciler.ports.platform import RefusedError, UnavailableError

T = TypeVar("T")

#: How long a read may be repeated, in seconds. Writes never are: a create whose answer is lost would run twice.
READ_PATIENCE: Final = 20.0
_CONNECT_TIMEOUT: Final = 10.0

#: Where nobody answers, a wrong host is as likely as an outage, and somebody waits for the message.
_UNREACHED_PATIENCE: Final = 5.0

#: The SDK asks the host about itself when a client is made, and fails softly; it shall do so soon.
_INTRODUCTION_PATIENCE: Final = 2
_INTRODUCTION_TIMEOUT: Final = 10.0

#: What the given credentials are used for; anything else in the environment then does not interfere.
_AUTH_TYPES: Final = {
    "token": "pat",
    "client_secret": "oauth-m2m",
    "azure_client_secret": "azure-client-secret",
}

#: Strict, because URL parsers disagree about anything else, and the host decides who gets the credentials.
_BASE_URL: Final = re.compile(r"https?://(?P<host>[a-z0-9.-]+|\[::1\])(?::[0-9]{1,5})?")
_DATABRICKS: Final = (".databricks.com", *(each.dns_zone for each in ALL_ENVS))
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Connection:
    """Raises UnavailableError or RefusedError, also when it is made."""

    def __init__(
        self,
        workspace: str,
        credentials: Mapping[str, SecretStr],
        *,
        in_flight: int,
        http_timeout: float,
        limiter: Limiter,
        trusted: frozenset[str] = frozenset(),
    ) -> None:
        _check_host(workspace, trusted)
        self._workspace = workspace
        self._thread = threading.local()
        self._counting = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._limiter = limiter
        self._is_closed = False
        config = _configure(workspace, credentials, _Patience(self._current))
        config.http_timeout_seconds = http_timeout
        config.retry_timeout_seconds = int(READ_PATIENCE)
        self._suffix = f". {config.debug_string()}"
        self._client = Client.of(config)
        self._session = _session_of(self._client)
        _settle_environment(self._session, workspace)
        # The SDK limits connections for https only, and with its two settings swapped (`_base_client.py`, 0.156). Who
        # finds all of them in use waits for one.
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Wire(workspace, in_flight, self._asks, self._answered))

    @property
    def calls_made(self) -> Mapping[str, int]:
        """Requests put on the wire by HTTP method, repetitions included, the SDK's sign-in not."""
        with self._counting:
            return dict(self._calls)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Of those requests, by `Outcome`."""
        with self._counting:
            return dict(self._outcomes)

    @property
    def is_held_up(self) -> bool:
        return self._limiter.is_held_up()

    def read(self, ask: Callable[[Client], T]) -> T:
        return self._run(ask, self._exchange(is_write=False, patience=READ_PATIENCE))[0]

    def read_pages(self, ask: Callable[[Client], T]) -> tuple[T, int]:
        """The answer, and how many requests it took."""
        answer, exchange = self._run(ask, self._exchange(is_write=False, patience=READ_PATIENCE))
        return answer, exchange.attempts

    def write(self, change: Callable[[Client], object]) -> str:
        """Sends one request at most; the id Databricks gave it."""
        return self._run(change, self._exchange(is_write=True, patience=0.0))[1].request_id

    def close(self) -> None:
        """From here on nothing is put on the wire, whoever may still be about to."""
        self._is_closed = True
        self._session.close()

    def _exchange(self, *, is_write: bool, patience: float) -> Exchange:
        return Exchange(workspace=self._workspace, is_write=is_write, patience=patience, suffix=self._suffix)

    def _run(self, work: Callable[[Client], T], exchange: Exchange) -> tuple[T, Exchange]:
        self._thread.exchange = exchange
        outcome: Outcome | None = None
        try:
            return work(self._client), exchange
        except RAISED as error:
            failure = failure_of(error, exchange)
            outcome = outcome_of(failure)
        finally:
            self._count(exchange, outcome or exchange.came_to)
        if isinstance(failure, UnreachableError):
            self._limiter.shut(failure)
        # Outside the handler, so that the SDK's error and all it holds do not travel along as its context.
        raise failure

    def _current(self) -> Exchange:
        exchange: Exchange = self._thread.exchange
        return exchange

    def _count(self, exchange: Exchange, outcome: Outcome) -> None:
        """What came of its last request."""
        if exchange.attempts:
            with self._counting:
                self._outcomes[outcome] += 1

    def _asks(self, method: str) -> None:
        if self._is_closed:
            raise requests.exceptions.RequestException("closed")
        exchange = self._current()
        self._count(exchange, exchange.came_to)
        exchange.asks()
        with self._counting:
            self._calls[method] += 1

    def _answered(self, response: requests.Response) -> None:
        exchange = self._current()
        exchange.status = response.status_code
        exchange.is_json = "json" in response.headers.get("Content-Type", "")
        exchange.request_id = response.headers.get("X-Request-Id", "")
        if response.status_code in {429, 503}:
            exchange.retry_after = _seconds(response.headers.get("Retry-After"))
            # A 429 without the header: the second that the SDK waits too.
            self._limiter.pause(exchange.retry_after or (1.0 if exchange.status == 429 else 0.0))


class _Patience(Clock):
    """The clock given to the SDK. It sleeps only before it repeats a request; when that would take longer than the call
    may wait, the failure it is about to forget is raised instead. (`retry_timeout_seconds` cannot do this: 0 means 300,
    and a short one still sleeps through any Retry-After.)"""

    def __init__(self, current: Callable[[], Exchange]) -> None:
        self._current = current

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        exchange, failure = self._current(), sys.exception()
        if failure is not None and was_unsent(failure):
            exchange.patience = min(exchange.patience, _UNREACHED_PATIENCE)
        if failure is not None and (exchange.is_write or seconds > exchange.patience):
            raise failure
        exchange.patience -= seconds
        time.sleep(seconds)


class _Wire(HTTPAdapter):
    """Sees every request and every answer."""

    def __init__(
        self,
        workspace: str,
        in_flight: int,
        asks: Callable[[str], None],
        answered: Callable[[requests.Response], None],
    ) -> None:
        super().__init__(pool_connections=2, pool_maxsize=in_flight, pool_block=True)
        self._asks, self._answered = asks, answered
        self._root = f"{workspace}/"
        self._pool: ConnectionPool | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        timeout = options.get("timeout")
        if isinstance(timeout, int | float):
            options["timeout"] = (min(_CONNECT_TIMEOUT, timeout), timeout)
        self._asks(request.method or "")
        response = super().send(request, *args, **options)
        self._answered(response)
        if not options.get("stream"):
            # Read before `requests` looks for cookies and redirects: until then nobody else gets the connection.
            _ = response.content
        return response

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> ConnectionPool:
        """Of the one host that is asked, looked for once; `requests` works out for each request which it is. Wherever
        it redirects to, and through a proxy, it is found as ever."""
        if proxies or not (request.url or "").startswith(self._root):
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        pool = self._pool or super().get_connection_with_tls_context(request, verify, proxies, cert)
        self._pool = pool
        return pool

    def close(self) -> None:
        # Its connections are closed once nobody has it.
        self._pool = None
        super().close()

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return super().request_url(request, proxies) if proxies else request.path_url


class _Quiet(logging.Filter):
    """At DEBUG the SDK logs requests and answers with activation links and tokens in them, and an application may turn
    DEBUG on. What goes wrong arrives as a failure."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR


class _QuietAtTheRoot(logging.Filter):
    """The SDK's parsers of errors log to the root logger, with exceptions that carry the whole answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or not record.pathname.startswith(_SDK)


_QUIET: Final = _Quiet()
_QUIET_AT_THE_ROOT: Final = _QuietAtTheRoot()
_SDK: Final = str(Path(databricks.sdk.__file__).parent)


def _silence() -> None:
    """Filters of a logger do not hold for its children, so each gets its own."""
    logging.getLogger().addFilter(_QUIET_AT_THE_ROOT)
    for name in ("databricks.sdk", *logging.root.manager.loggerDict):
        if name == "databricks.sdk" or name.startswith("databricks.sdk."):
            logging.getLogger(name).addFilter(_QUIET)


def _configure(workspace: str, credentials: Mapping[str, SecretStr], clock: Clock) -> Config:
    _silence()
    bound_sign_in()
    given: dict[str, Any] = {name: value.get_secret_value() for name, value in credentials.items()}
    for name, kind in _AUTH_TYPES.items():
        if name in given:
            given.setdefault("auth_type", kind)
    if given.get("auth_type") == GITHUB:
        given["credentials_strategy"] = github_jobs
    try:
        return Config(
            host=workspace,
            clock=clock,
            product="sharepack-reconciler",
            # It would use threads that Python waits for at the end of the process.
            disable_async_token_refresh=True,
            http_timeout_seconds=_INTRODUCTION_TIMEOUT,
            retry_timeout_seconds=_INTRODUCTION_PATIENCE,
            **given,
        )
    except RAISED as error:
        failure: UnavailableError | RefusedError = failure_of(error, _introduction(workspace))
    raise _unless_away(workspace, failure)


def _unless_away(workspace: str, failure: UnavailableError | RefusedError) -> UnavailableError | RefusedError:
    """Signing in fails as if credentials were missing when the SDK could not ask the host about itself."""
    if isinstance(failure, UnavailableError):
        return failure
    try:
        answer = requests.get(f"{workspace}/.well-known/databricks-config", timeout=_INTRODUCTION_TIMEOUT)
    except requests.RequestException as error:
        away = failure_of(error, _introduction(workspace))
    else:
        status = answer.status_code
        if status != 429 and status < 500:
            return failure
        away = UnavailableError(f"{workspace} answers {status}", throttled=status == 429, understood=status != 500)
    return away


def _introduction(workspace: str) -> Exchange:
    return Exchange(workspace=workspace, is_write=False, patience=0.0)


def _check_host(workspace: str, trusted: frozenset[str]) -> None:
    """Credentials go with the first request, and a workspace URL may come from a file in a pull request."""
    url = _BASE_URL.fullmatch(workspace)
    host = url["host"] if url else ""
    is_databricks = workspace.startswith("https://") and host.endswith(_DATABRICKS)
    if not is_databricks and host not in _THIS_MACHINE and (url is None or workspace not in trusted):
        raise RefusedError(
            f"{workspace or 'no workspace'} is not the URL of a Databricks workspace, so no credentials are sent "
            "there. A workspace under another name is trusted when it is the one in `databricks_host`",
            code="UNTRUSTED_HOST",
        )


def _session_of(client: Client) -> requests.Session:
    """The one private thing of the SDK that is touched: it has no public way to count or limit http connections."""
    session = client.api_client._api_client._session
    if not isinstance(session, requests.Session):
        raise TypeError("this version of databricks-sdk keeps its HTTP session elsewhere")
    return session


def _settle_environment(session: requests.Session, workspace: str) -> None:
    """Proxies and certificates as the environment says, asked once: `requests` goes through all of the environment for
    each request, which was a quarter of what a request costs here."""
    settings = session.merge_environment_settings(workspace, {}, stream=False, verify=None, cert=None)
    session.proxies, session.verify, session.cert = settings["proxies"], settings["verify"], settings["cert"]
    session.trust_env = False
    # Of nothing, None: an empty mapping is merged with that of each request.
    session.proxies, session.params = session.proxies or None, None  # type: ignore[assignment]


def _seconds(header: str | None) -> float | None:
    """Retry-After: seconds, or a date."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
