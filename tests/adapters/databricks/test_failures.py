"""From what goes wrong to the two failures of the port, with the real SDK in between; and no write is sent twice."""

import socket
import time
from collections.abc import Callable

import pytest
import requests
import urllib3.exceptions
from databricks.sdk.errors import ResourceExhausted

from reconciler.adapters.databricks import DatabricksPlatform, connection
from reconciler.adapters.databricks.exchange import Exchange
from reconciler.adapters.databricks.failures import RAISED, failure_of
from reconciler.core.actual import Found, Unreadable
from reconciler.core.calls import (
    Call,
    ChangeGrants,
    CreateRecipient,
    CreateShare,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.recipient import TokenSharing
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import ADMIN, UC, refusal, requests_of, unavailability, unused_port

WRITES: dict[str, Callable[[str], Call]] = {
    "POST /shares": lambda url: CreateShare(share_key("q1_share", url)),
    "POST /recipients": lambda url: CreateRecipient(recipient_key("acme", url), TokenSharing()),
    "PATCH /recipients/acme": lambda url: UpdateRecipient(recipient_key("acme", url), (), ""),
    "PATCH /shares/q1_share": lambda url: UpdateShare(share_key("q1_share", url), "New"),
    "PATCH /shares/q1_share/permissions": lambda url: ChangeGrants(share_key("q1_share", url), ("acme",)),
    "DELETE /shares/q1_share": lambda url: DeleteShare(share_key("q1_share", url)),
}


@pytest.mark.parametrize(
    ("status", "code", "maybe_done"),
    [
        (429, "RESOURCE_EXHAUSTED", False),
        (429, "REQUEST_LIMIT_EXCEEDED", False),
        (429, "SOMETHING_NEW", False),
        (409, "ABORTED", False),
        (500, "INTERNAL_ERROR", True),
        (500, "UNKNOWN", True),
        (500, "DATA_LOSS", True),
        (502, "BAD_GATEWAY", True),
        (503, "TEMPORARILY_UNAVAILABLE", True),
        (504, "DEADLINE_EXCEEDED", True),
        (499, "CANCELLED", True),
        (408, "REQUEST_TIMEOUT", True),
        (520, "SOMETHING_NEW", True),
    ],
)
async def test_what_may_pass_is_unavailable(
    platform: DatabricksPlatform, control: ControlClient, share: Key, status: int, code: str, maybe_done: bool
) -> None:
    control.fault(f"POST {UC}/shares", status=status, error_code=code, message="Not now")
    failure = await unavailability(platform, CreateShare(share))
    assert failure.reason == f"{code}: Not now"
    assert failure.maybe_done is maybe_done
    assert failure.retry_after is None
    assert len(requests_of(control)) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_PARAMETER_VALUE"),
        (400, "INVALID_STATE"),
        (400, "SHARE_ALREADY_EXISTS"),
        (409, "SHARE_ALREADY_EXISTS"),
        (409, "RESOURCE_CONFLICT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "SHARE_DOES_NOT_EXIST"),
        (404, "FEATURE_DISABLED"),
        (400, "QUOTA_EXCEEDED"),
        (429, "QUOTA_EXCEEDED"),
        (429, "RESOURCE_LIMIT_EXCEEDED"),
        (501, "NOT_IMPLEMENTED"),
        (422, "SOMETHING_NEW"),
    ],
)
async def test_what_stays_so_is_refused_with_code_reason_and_request_id(
    platform: DatabricksPlatform, control: ControlClient, share: Key, status: int, code: str
) -> None:
    control.fault(f"POST {UC}/shares", status=status, error_code=code, message="Never")
    failure = await refusal(platform, CreateShare(share))
    assert (failure.code, failure.reason) == (code, "Never")
    (entry,) = control.log(writes_only=True)
    assert failure.request_id == entry["request_id"]


async def test_the_reason_does_not_carry_the_configuration_of_the_sdk(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    control.fault(f"POST {UC}/shares", status=403, error_code="PERMISSION_DENIED", message="User does not own it")
    assert (await refusal(platform, CreateShare(share))).reason == "User does not own it"


async def test_an_unparsable_answer_does_not_bring_the_request_into_the_reason(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    control.fault(f"POST {UC}/shares", status=500, body="canary page\nwith lines")
    failure = await unavailability(platform, CreateShare(share, "canary comment"))
    assert "canary" not in str(failure)
    assert "\n" not in str(failure)


@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_that_is_asked_for_is_told(
    platform: DatabricksPlatform, control: ControlClient, share: Key, status: int
) -> None:
    control.fault(f"POST {UC}/shares", status=status, retry_after=7)
    started = time.monotonic()
    assert (await unavailability(platform, CreateShare(share))).retry_after == 7
    assert time.monotonic() - started < 5
    assert len(requests_of(control)) == 1


async def test_a_long_wait_holds_for_everything_in_the_workspace(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key
) -> None:
    control.fault(f"POST {UC}/shares", status=429, retry_after=90)
    await unavailability(platform, CreateShare(share))
    control.clear_log()
    failure = await unavailability(platform, CreateRecipient(recipient, TokenSharing()))
    assert failure.retry_after is not None
    assert 60 < failure.retry_after <= 90
    assert (failure.maybe_done, failure.throttled, failure.understood) == (False, True, True)
    observed = (await platform.observe([share]))[share]
    assert isinstance(observed, Unreadable)
    assert "asked to wait" in observed.reason
    assert control.log() == []


async def test_a_short_wait_is_waited_by_everything_in_the_workspace(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key
) -> None:
    control.fault(f"POST {UC}/shares", status=429, retry_after=1)
    await unavailability(platform, CreateShare(share))
    started = time.monotonic()
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    assert time.monotonic() - started > 0.8


async def test_a_read_is_repeated_after_the_wait(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    await platform.perform(CreateShare(share))
    control.clear_log()
    control.fault(f"GET {UC}/shares/*", status=429, retry_after=1)
    assert isinstance((await platform.observe([share]))[share], Found)
    assert len(requests_of(control, writes_only=False)) == 3


async def test_a_read_does_not_sleep_through_a_long_wait(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    control.fault(f"GET {UC}/shares/*", status=503, error_code="UNAVAILABLE", message="Later", retry_after=60, times=0)
    started = time.monotonic()
    observed = (await platform.observe([share]))[share]
    assert observed == Unreadable("UNAVAILABLE: Later")
    assert time.monotonic() - started < 5


async def test_a_read_is_repeated_after_a_lost_connection(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    await platform.perform(CreateShare(share))
    control.fault(f"GET {UC}/shares/*", drop_connection=True)
    assert isinstance((await platform.observe([share]))[share], Found)


async def test_patience_ends_and_the_last_failure_is_told_not_a_timeout(
    control: ControlClient, share: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "READ_PATIENCE", 1.0)
    platform = DatabricksPlatform(ADMIN)
    try:
        control.fault(f"GET {UC}/shares/*", status=500, message="Unexpected error", error_code="INTERNAL", times=0)
        observed = (await platform.observe([share]))[share]
    finally:
        await platform.close()
    assert observed == Unreadable("INTERNAL: Unexpected error")


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "fault",
    [
        {"drop_connection": True},
        {"drop_connection": True, "after_handler": True},
        {"status": 429, "retry_after": 1},
        {"status": 429, "retry_after": 0},
        {"status": 503},
        {"status": 503, "retry_after": 0},
        {"status": 504},
        {"status": 500, "message": "Unexpected error"},
        {"status": 504, "message": "Please try again later or try a faster operation."},
        {"status": 429, "message": "RPC token bucket limit has been exceeded"},
    ],
    ids=str,
)
async def test_no_write_is_sent_twice(
    platform: DatabricksPlatform, control: ControlClient, url: str, write: str, fault: dict[str, object]
) -> None:
    await prepare(platform, url, write)
    control.clear_log()
    control.fault(write.replace(" ", f" {UC}"), **fault)
    await unavailability(platform, WRITES[write](url))
    assert [f"{method} {path}" for method, path, _ in requests_of(control)] == [write]


async def prepare(platform: DatabricksPlatform, url: str, write: str) -> None:
    if not write.startswith("POST"):
        await platform.perform(WRITES["POST /shares"](url))
        await platform.perform(WRITES["POST /recipients"](url))


async def test_a_lost_answer_is_maybe_done_and_reading_tells(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    control.fault(f"POST {UC}/shares", drop_connection=True, after_handler=True)
    failure = await unavailability(platform, CreateShare(share))
    assert failure.maybe_done
    assert isinstance((await platform.observe([share]))[share], Found)


async def test_a_write_whose_answer_is_no_answer_is_maybe_done(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    control.fault(f"POST {UC}/shares", status=200, body="<html>Welcome</html>", after_handler=True)
    failure = await unavailability(platform, CreateShare(share))
    assert failure.maybe_done
    assert "is no proxy or sign-in page in between" in failure.reason


async def test_an_answer_that_takes_too_long_is_maybe_done(control: ControlClient, share: Key) -> None:
    platform = DatabricksPlatform(ADMIN, http_timeout=0.3)
    try:
        await platform.observe([share])
        control.fault(f"POST {UC}/shares", delay_ms=1500, after_handler=True)
        failure = await unavailability(platform, CreateShare(share))
    finally:
        await platform.close()
    assert failure.maybe_done
    assert "gave no answer" in failure.reason


async def test_a_workspace_that_is_away_is_unavailable_and_nothing_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READ_PATIENCE", 1.0)
    url = f"http://127.0.0.1:{unused_port()}"
    platform = DatabricksPlatform(ADMIN)
    try:
        failure = await unavailability(platform, CreateShare(share_key("q1", url)))
        assert not failure.maybe_done
        assert failure.reason == f"{url} cannot be reached: Connection refused"
        # Two hundred questions learn it from the first, not each for itself.
        started = time.monotonic()
        observed = await platform.observe([share_key(f"s{number}", url) for number in range(200)])
        assert time.monotonic() - started < 5
        assert {type(each) for each in observed.values()} == {Unreadable}
    finally:
        await platform.close()


def exchange(**fields: object) -> Exchange:
    made = Exchange(workspace="https://w", is_write=True, patience=0.0)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_the_sdks_timeout_is_unwrapped() -> None:
    timeout = TimeoutError("Timed out after 0:00:20")
    timeout.__cause__ = ResourceExhausted("Slow down", error_code="RESOURCE_EXHAUSTED")
    failure = failure_of(timeout, exchange(attempts=3, status=429, retry_after=4.0))
    assert isinstance(failure, UnavailableError)
    assert (failure.reason, failure.retry_after, failure.maybe_done) == ("RESOURCE_EXHAUSTED: Slow down", 4.0, False)


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ConnectTimeout("x"),
        requests.exceptions.ProxyError("x"),
        requests.exceptions.ConnectionError(
            urllib3.exceptions.MaxRetryError(
                urllib3.HTTPConnectionPool("w"),
                "/",
                urllib3.exceptions.NameResolutionError("w", urllib3.connection.HTTPConnection("w"), socket.gaierror()),
            )
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_that_was_never_made_sent_nothing(error: Exception) -> None:
    failure = failure_of(error, exchange(attempts=1))
    assert isinstance(failure, UnavailableError)
    assert not failure.maybe_done


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ReadTimeout("x"),
        requests.exceptions.ChunkedEncodingError("x"),
        requests.exceptions.SSLError("x"),
        requests.exceptions.ConnectionError(
            urllib3.exceptions.ProtocolError(
                "Connection aborted.", ConnectionResetError(104, "Connection reset by peer")
            )
        ),
        urllib3.exceptions.HTTPError("x"),
        KeyError("x"),
        AttributeError("x"),
        ValueError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_in_doubt_a_write_may_have_been_done(error: Exception) -> None:
    assert isinstance(error, RAISED)
    failure = failure_of(error, exchange(attempts=1, status=200))
    assert isinstance(failure, UnavailableError)
    assert failure.maybe_done
    unsent = failure_of(error, exchange(attempts=0))
    assert isinstance(unsent, RefusedError) or not unsent.maybe_done


def test_a_reason_is_one_short_line_without_links() -> None:
    link = "https://w/delta_sharing/retrieve_config.html?token=canary"
    error = ResourceExhausted(f"See {link} and\nmore" + "x" * 1000, error_code="C")
    assert str(failure_of(error, exchange(attempts=1))) == "C: See [link removed] and"
    assert len(str(failure_of(ResourceExhausted("x" * 2000), exchange(attempts=1, status=429)))) < 600
