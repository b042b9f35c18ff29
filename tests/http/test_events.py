"""Server-sent events over a real connection: what they say, where they go on, and when they end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp

from tests.http.api import Api, served
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

EVENTS = "/workflow/events"


class Listener:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def block(self) -> dict[str, str]:
        """The next block, by field; comments stand under an empty name."""
        found: dict[str, str] = {}
        async with asyncio.timeout(10):
            while True:
                line = (await self._answer.content.readline()).decode()
                if not line:
                    raise EOFError
                if line == "\n":
                    return found
                name, _, value = line.rstrip("\n").partition(":")
                found[name] = value.strip()

    async def event(self) -> dict[str, str]:
        for _ in range(50):
            found = await self.block()
            if found.get("event") == "sharepack":
                return found
        raise AssertionError("only signs of life")

    async def end(self) -> None:
        while True:
            try:
                await self.block()
            except EOFError:
                return


@asynccontextmanager
async def listening(api: Api, path: str = EVENTS, **headers: str) -> AsyncIterator[Listener]:
    async with api.session.get(f"{api.url}{path}", headers={**api.headers, **headers}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        listener = Listener(answer)
        assert await listener.block() == {"retry": "3000"}
        yield listener


async def test_what_happens_to_a_pack_is_heard_until_it_is_done(working_api: Api) -> None:
    await working_api.let_in()
    async with listening(working_api) as listener:
        share_pack_id = (await working_api.upload(SALES)).json["SharePackId"]
        heard: list[dict[str, str]] = []
        while not heard or heard[-1]["Status"] != "COMPLETED":
            event = await listener.event()
            heard.append(json.loads(event["data"]))
    assert {each["SharePackId"] for each in heard} == {share_pack_id}
    assert heard[0]["Status"] == "IN_PROGRESS"
    assert list(heard[0]) == [
        "SharePackId",
        "SharePackName",
        "BusinessLine",
        "ProjectName",
        "Status",
        "ProvisioningStatus",
        "ErrorMessage",
        "At",
    ]


async def test_who_comes_back_hears_what_was_missed(api: Api) -> None:
    await api.let_in()
    async with listening(api) as listener:
        assert (await api.upload(SALES)).status == 202
        first = await listener.event()
    async with listening(api, **{"Last-Event-ID": "1"}) as listener:
        again = await listener.event()
        assert again == first
    changed = SALES.replace("Q1 sales data", "Sales data of Q1")
    assert (await api.upload(changed)).status == 202
    async with listening(api, **{"Last-Event-ID": first["id"]}) as listener:
        later = await listener.event()
        assert int(later["id"]) > int(first["id"])


async def test_nothing_is_heard_of_other_lines_or_other_packs(api: Api) -> None:
    await api.let_in()
    all_lines = dict(api.headers)
    await api.let_in("Marketing")
    async with (
        listening(api, **{"Last-Event-ID": "1"}) as stranger,
        listening(api, f"{EVENTS}?sharepack=00000000-0000-4000-8000-000000000000", **all_lines) as other,
    ):
        api.headers = all_lines
        assert (await api.upload(SALES)).status == 202
        for listener in (stranger, other):
            for _ in range(3):
                assert "event" not in await listener.block()


async def test_stopping_ends_streams(journey: Journey) -> None:
    async with asyncio.timeout(15):
        async with served(journey) as api:
            await api.let_in()
            answer = await api.session.get(f"{api.url}{EVENTS}", headers=api.headers)
            listener = Listener(answer)
            await listener.block()
            api.stop.set()
            await listener.end()
            answer.close()


async def test_a_stream_ends_when_its_key_is_revoked_or_its_time_is_over(journey: Journey) -> None:
    async with served(journey) as api:
        await api.let_in()
        async with listening(api) as listener:
            (key,) = await api.portal.keyring.keys()
            assert await api.portal.keyring.revoke(key.id, "pat")
            await listener.end()
    async with served(journey, change=lambda parts: replace(parts, longest_stream=0.2)) as api:
        await api.let_in()
        async with listening(api) as listener:
            await listener.end()


async def test_nobody_holds_all_streams(api: Api) -> None:
    await api.let_in()
    open_ones = [await api.session.get(f"{api.url}{EVENTS}", headers=api.headers) for _ in range(20)]
    assert (await api.ask(EVENTS)).status == 429
    for each in open_ones:
        each.close()
    async with asyncio.timeout(10):
        while await opened(api) == 429:
            await asyncio.sleep(0.05)


async def opened(api: Api) -> int:
    async with api.session.get(f"{api.url}{EVENTS}", headers=api.headers) as answer:
        return answer.status
