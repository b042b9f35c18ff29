"""The real SDK over HTTP against a sandbox, emptied before each test."""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.actual import Found, Unreadable
from reconciler.core.calls import Call
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.sandbox import ControlClient, Sandbox, Seed

ADMIN = {"token": SecretStr("dapi-sandbox-admin")}
UC = "/api/2.1/unity-catalog"


@pytest.fixture(autouse=True)
def _no_databricks_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("HOST", "TOKEN", "CLIENT_ID", "CLIENT_SECRET", "AUTH_TYPE"):
        monkeypatch.delenv(f"DATABRICKS_{name}", raising=False)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox(Seed.example()).serving() as address:
        yield address


@pytest.fixture(autouse=True)
def control(url: str) -> ControlClient:
    client = ControlClient(url)
    client.reset()
    return client


@pytest.fixture
async def platform() -> AsyncIterator[DatabricksPlatform]:
    opened = DatabricksPlatform(ADMIN)
    yield opened
    await opened.close()


@pytest.fixture
def share(url: str) -> Key:
    return share_key("q1_share", url)


@pytest.fixture
def recipient(url: str) -> Key:
    return recipient_key("acme", url)


def requests_of(control: ControlClient, *, writes_only: bool = True) -> list[tuple[str, str, Any]]:
    """Method, path (below the catalog API, where it is there) and body of what the sandbox was sent."""
    return [
        (entry["method"], entry["path"].removeprefix(UC), entry["body"])
        for entry in control.log(writes_only=writes_only)
        if entry["path"].startswith("/api/")
    ]


async def refusal(platform: DatabricksPlatform, call: Call) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await platform.perform(call)
    assert_clean(caught.value)
    return caught.value


async def unavailability(platform: DatabricksPlatform, call: Call) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        await platform.perform(call)
    assert_clean(caught.value)
    return caught.value


def assert_clean(error: BaseException) -> None:
    """Nothing of the SDK travels along."""
    assert error.__cause__ is None
    assert error.__context__ is None


def unused_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


async def found(platform: DatabricksPlatform, key: Key) -> Found:
    observed = (await platform.observe([key]))[key]
    assert isinstance(observed, Found), observed
    return observed


async def reason(platform: DatabricksPlatform, key: Key) -> str:
    """Why it is unreadable."""
    observed = (await platform.observe([key]))[key]
    assert isinstance(observed, Unreadable), observed
    return observed.reason


def answer(control: ControlClient, path: str, body: Any, status: int = 200) -> None:
    """From now on, to every GET of it."""
    control.fault(f"GET {UC}/{path}", status=status, body=body, times=0)


async def wire_of(
    platform: DatabricksPlatform, control: ControlClient, call: Call, *before: Call
) -> tuple[str, str, Any]:
    """What the call is on the wire, once those before it were made: one request, whose id is on the receipt."""
    for each in before:
        await platform.perform(each)
    control.clear_log()
    receipt = await platform.perform(call)
    (entry,) = control.log(writes_only=True)
    assert receipt.request_id == entry["request_id"]
    (request,) = requests_of(control, writes_only=False)
    return request
