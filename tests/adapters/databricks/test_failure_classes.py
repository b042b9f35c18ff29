"""Every row of the tables by which failures are told apart, over real HTTP with the real SDK in between."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from databricks.sdk.errors.platform import ERROR_CODE_MAPPING, STATUS_CODE_MAPPING

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks.failures import BY_CLASS, BY_STATUS, CLEAR_IN_ANY_FORM, LASTING, PASSING
from reconciler.core.calls import CreateShare
from reconciler.core.key import Key, share_key
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import ADMIN, UC, refusal, unavailability
from tests.adapters.databricks.tiny import Tiny, tiny_server, unknown_certificate

HTML = "<html><head><title>Somewhere else</title></head></html>"


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    with tiny_server() as server:
        yield server


@dataclass(frozen=True)
class Case:
    status: int
    code: str
    #: What is expected of an UnavailableError.
    maybe_done: bool = False
    throttled: bool = False
    understood: bool = True


THROTTLED = [
    Case(429, code, throttled=True)
    for code in ("RESOURCE_EXHAUSTED", "REQUEST_LIMIT_EXCEEDED", "SOMETHING_NEW", "TEMPORARILY_UNAVAILABLE")
]
WITHOUT_EFFECT = [Case(409, "ABORTED"), Case(425, "TOO_EARLY")]
IN_DOUBT = [
    Case(status, code, maybe_done=True)
    for status, code in (
        (408, "REQUEST_TIMEOUT"),
        (499, "SOMETHING_NEW"),
        (502, "BAD_GATEWAY"),
        (503, "SOMETHING_NEW"),
        (504, "SOMETHING_NEW"),
        *((500, code) for code in sorted(PASSING)),
    )
]
UNEXPLAINED = [
    Case(status, code, maybe_done=True, understood=False)
    for status, code in (
        (500, "INTERNAL_ERROR"),
        (500, "UNKNOWN"),
        (500, "DATA_LOSS"),
        (500, "SOMETHING_NEW"),
        (507, "SOMETHING_NEW"),
        (520, "SOMETHING_NEW"),
    )
]
REFUSED = [
    *((status, code) for code in sorted(LASTING) for status in (400, 429)),
    (501, "NOT_IMPLEMENTED"),
    (400, "INVALID_PARAMETER_VALUE"),
    (401, "UNAUTHENTICATED"),
    (403, "PERMISSION_DENIED"),
    (404, "FEATURE_DISABLED"),
    (404, "ENDPOINT_NOT_FOUND"),
    (404, "METASTORE_DOES_NOT_EXIST"),
    (400, "SHARE_DOES_NOT_EXIST"),
    (409, "RESOURCE_CONFLICT"),
    (422, "SOMETHING_NEW"),
]
MISSING = ["RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "SHARE_DOES_NOT_EXIST", "PRINCIPAL_DOES_NOT_EXIST"]


@pytest.mark.parametrize("case", [*THROTTLED, *WITHOUT_EFFECT, *IN_DOUBT, *UNEXPLAINED], ids=str)
async def test_what_may_pass(platform: DatabricksPlatform, control: ControlClient, share: Key, case: Case) -> None:
    control.fault(f"POST {UC}/shares", status=case.status, error_code=case.code, message="Not now")
    failure = await unavailability(platform, CreateShare(share))
    assert failure.reason == f"{case.code}: Not now"
    assert (failure.maybe_done, failure.throttled, failure.understood) == (
        case.maybe_done,
        case.throttled,
        case.understood,
    )
    (entry,) = control.log(writes_only=True)
    assert failure.request_id == entry["request_id"]
    assert came_to(platform) == {"throttled" if case.throttled else "unknown" if case.maybe_done else "unavailable": 1}


@pytest.mark.parametrize(("status", "code"), REFUSED)
async def test_what_stays_so(
    platform: DatabricksPlatform, control: ControlClient, share: Key, status: int, code: str
) -> None:
    control.fault(f"POST {UC}/shares", status=status, error_code=code, message="Never")
    failure = await refusal(platform, CreateShare(share))
    assert (failure.code, failure.reason, failure.missing) == (code, "Never", False)
    assert came_to(platform) == {"refused": 1}


@pytest.mark.parametrize("code", MISSING)
async def test_what_is_missing(platform: DatabricksPlatform, control: ControlClient, share: Key, code: str) -> None:
    control.fault(f"POST {UC}/shares", status=404, error_code=code, message="Where?")
    failure = await refusal(platform, CreateShare(share))
    assert (failure.code, failure.missing) == (code, True)
    (entry,) = control.log(writes_only=True)
    assert failure.request_id == entry["request_id"]


def test_every_row_of_the_tables_is_in_a_test() -> None:
    cases = [(case.status, case.code) for case in (*THROTTLED, *WITHOUT_EFFECT, *IN_DOUBT, *UNEXPLAINED)]
    everything = [*cases, *REFUSED]
    assert set(BY_STATUS) <= {status for status, _ in everything}
    assert {code for _, code in everything} >= LASTING | PASSING
    classes = [ERROR_CODE_MAPPING.get(code) or STATUS_CODE_MAPPING.get(status) for status, code in everything]
    for kind, _ in BY_CLASS:
        assert any(each is not None and issubclass(each, kind) for each in classes), kind
    assert set(PAGES) >= CLEAR_IN_ANY_FORM


#: Status of an HTML page → maybe_done, throttled, understood; None: refused.
PAGES: dict[int, tuple[bool, bool, bool] | None] = {
    200: (True, False, False),
    400: (True, False, False),
    404: (True, False, False),
    500: (True, False, False),
    520: (True, False, False),
    401: None,
    403: None,
    408: (True, False, True),
    425: (False, False, True),
    429: (False, True, True),
    502: (True, False, True),
    503: (True, False, True),
    504: (True, False, True),
}


@pytest.mark.parametrize("status", PAGES)
async def test_a_page_in_the_place_of_an_answer(
    platform: DatabricksPlatform, control: ControlClient, share: Key, status: int
) -> None:
    control.fault(f"POST {UC}/shares", status=status, body=HTML)
    with pytest.raises((UnavailableError, RefusedError)) as caught:
        await platform.perform(CreateShare(share))
    expected = PAGES[status]
    if expected is None:
        assert isinstance(caught.value, RefusedError)
        assert not caught.value.missing
        return
    assert isinstance(caught.value, UnavailableError)
    failure = caught.value
    assert (failure.maybe_done, failure.throttled, failure.understood) == expected
    (entry,) = control.log(writes_only=True)
    assert failure.request_id == entry["request_id"]
    assert ("no answer of the Databricks API" in failure.reason) is not failure.understood


@pytest.mark.parametrize("body", ["[1]", "3", '"text"', '{"name": '], ids=str)
async def test_json_that_is_no_answer_is_not_understood(platform: DatabricksPlatform, tiny: Tiny, body: str) -> None:
    tiny.answers = (200, "application/json", body)
    failure = await unavailability(platform, CreateShare(share_key("q1_share", tiny.url)))
    assert (failure.maybe_done, failure.understood) == (True, False)
    assert came_to(platform) == {"unknown": 1}


@pytest.mark.parametrize("after_handler", [False, True])
async def test_nobody_answered(
    platform: DatabricksPlatform, control: ControlClient, share: Key, after_handler: bool
) -> None:
    control.fault(f"POST {UC}/shares", drop_connection=True, after_handler=after_handler)
    failure = await unavailability(platform, CreateShare(share))
    assert (failure.maybe_done, failure.throttled, failure.understood) == (True, False, True)
    assert came_to(platform) == {"unknown": 1}


async def test_no_answer_in_time_passes(control: ControlClient, share: Key) -> None:
    platform = DatabricksPlatform(ADMIN, http_timeout=0.3)
    try:
        await platform.observe([share])
        control.fault(f"POST {UC}/shares", delay_ms=1500)
        failure = await unavailability(platform, CreateShare(share))
        assert (failure.maybe_done, failure.understood) == (True, True)
    finally:
        await platform.close()


async def test_endless_redirects_are_not_understood(platform: DatabricksPlatform, tiny: Tiny) -> None:
    tiny.answers = (302, "text/html", "")
    failure = await unavailability(platform, CreateShare(share_key("q1_share", tiny.url)))
    assert (failure.maybe_done, failure.understood) == (True, False)


async def test_a_certificate_that_nobody_vouches_for_does_not_pass_and_nothing_was_sent(tmp_path: Path) -> None:
    with tiny_server(unknown_certificate(tmp_path)) as server:
        platform = DatabricksPlatform(ADMIN, trusted_hosts=[server.url])
        started = time.monotonic()
        try:
            failure = await unavailability(platform, CreateShare(share_key("q1_share", server.url)))
        finally:
            await platform.close()
    assert (failure.maybe_done, failure.understood) == (False, False)
    assert time.monotonic() - started < 10
    assert server.asked == 0


def came_to(platform: DatabricksPlatform) -> dict[str, int]:
    return {outcome: count for outcome, count in platform.outcomes.items() if count}
