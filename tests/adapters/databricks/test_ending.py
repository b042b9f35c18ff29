"""A program that has closed its platform ends, whatever the network does."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.actual import Unreadable
from reconciler.core.calls import CreateShare
from reconciler.core.key import Key, share_key
from reconciler.ports.platform import UnavailableError
from reconciler.sandbox import ControlClient, Sandbox, Seed
from tests.adapters.databricks.conftest import ADMIN, UC

PROGRAM = """
import asyncio, sys, time
from pydantic import SecretStr
from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.calls import CreateShare
from reconciler.core.key import share_key
from reconciler.ports.platform import UnavailableError

url, how = sys.argv[1:]
SIGN_IN = {"client_id": SecretStr("sandbox-client"), "client_secret": SecretStr("sandbox-secret")}

async def main():
    platform = DatabricksPlatform(SIGN_IN if how == "signing in" else {"token": SecretStr("dapi-sandbox-admin")})
    calls = [platform.perform(CreateShare(share_key("q1_share", url)))]
    calls += [platform.observe([share_key(f"s{number}", url)]) for number in range(40)]
    tasks = [asyncio.create_task(call) for call in calls]
    # Importing the SDK takes 2 s and is part of a first call.
    await asyncio.sleep(0.2 if how == "importing" else 6)
    assert not any(task.done() for task in tasks), [task for task in tasks if task.done()]
    print(time.time(), flush=True)
    await platform.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[0], UnavailableError), outcomes[0]
    assert outcomes[0].maybe_done, outcomes[0]

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["calling", "signing in", "importing"])
def test_a_process_ends_within_a_second_although_calls_hang(control: ControlClient, url: str, how: str) -> None:
    control.fault(f"* {UC}/*", delay_ms=60_000, times=0)
    if how == "signing in":
        control.fault("POST /oidc/*", delay_ms=60_000, times=0)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, how],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said, complaints = process.communicate(timeout=50)
        ended = time.time()
    finally:
        process.kill()
    assert (process.returncode, complaints) == (0, "")
    # Half a second on a machine that has nothing else to do; waiting for the threads would take twenty at least.
    assert ended - float(said) < 10


async def test_closing_is_immediate_and_who_waits_is_told(control: ControlClient, share: Key, url: str) -> None:
    platform = DatabricksPlatform(ADMIN, in_flight=2)
    await platform.observe([share])
    control.fault(f"* {UC}/*", delay_ms=3_000, times=0)
    writing = asyncio.create_task(platform.perform(CreateShare(share)))
    reading = asyncio.create_task(platform.observe([share_key(f"s{number}", url) for number in range(5)]))
    await asyncio.sleep(0.3)
    started = time.monotonic()
    await platform.close()
    with pytest.raises(UnavailableError, match="the program is ending") as caught:
        await writing
    assert caught.value.maybe_done
    assert all(isinstance(each, Unreadable) for each in (await reading).values())
    assert time.monotonic() - started < 0.5
    with pytest.raises(UnavailableError, match="is not asked: the program is ending") as refused:
        await platform.perform(CreateShare(share))
    assert not refused.value.maybe_done


@pytest.mark.parametrize("slow", ["/oidc/", "/.well-known/"])
async def test_after_closing_nothing_is_put_on_the_wire(slow: str) -> None:
    """A write whose platform was closed while it was signing in or making the client: nobody would hear of it."""
    platform = DatabricksPlatform(
        {"client_id": SecretStr("sandbox-client"), "client_secret": SecretStr("sandbox-secret")}
    )
    async with Sandbox(Seed.example()).serve() as url:
        control = ControlClient(url)
        await asyncio.to_thread(control.fault, f"* {slow}*", delay_ms=1_000, delay_only=True)
        writing = asyncio.create_task(platform.perform(CreateShare(share_key("q1_share", url))))
        async with asyncio.timeout(10):
            while not (await asyncio.to_thread(control.faults))[0]["matched"]:
                await asyncio.sleep(0.02)
        await platform.close()
        with pytest.raises(UnavailableError):
            await writing
        await asyncio.sleep(2)
        log = await asyncio.to_thread(control.log)
    assert any(entry["path"].startswith(slow) for entry in log)
    assert [entry["path"] for entry in log if entry["path"].startswith("/api")] == []
