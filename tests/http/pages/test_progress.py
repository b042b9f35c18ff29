"""Progress as it is told to a page: each state once, until the last one."""

import asyncio
import json

from tests.http.api import Api
from tests.http.pages.person import Person
from tests.journeys.packs import SALES


async def test_each_state_is_told_once_and_the_last_one_ends_it(api: Api, person: Person) -> None:
    await api.let_in()
    share_pack_id = (await api.upload(SALES)).json["SharePackId"]
    await person.sign_in(await api.key())
    await person.open(f"/packs/{share_pack_id}")
    (place,) = [each for each in person.elements if "data-events" in each.attributes]
    assert [each.tag for each in person.elements if each.attributes.get("http-equiv") == "refresh"] == ["meta"]
    async with person.session.get(f"{api.url}{place.attributes['data-events']}") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        reading = asyncio.create_task(answer.text())
        stop = asyncio.Event()
        working = asyncio.create_task(api.journey.workforce().work_until(stop))
        told = await asyncio.wait_for(reading, 20)
        stop.set()
        await working
    states = [json.loads(line.removeprefix("data: ")) for line in told.splitlines() if line.startswith("data: ")]
    assert [each["is_final"] for each in states] == [*[False] * (len(states) - 1), True]
    assert len({each["said"] for each in states}) == len(states)
    assert states[-1]["said"] == "All resources provisioned successfully"


async def test_a_stream_ends_when_its_key_does(api: Api, person: Person) -> None:
    await api.let_in()
    share_pack_id = (await api.upload(SALES)).json["SharePackId"]
    key = await api.key()
    await person.sign_in(key)
    async with person.session.get(f"{api.url}/packs/{share_pack_id}/events") as answer:
        await api.portal.keyring.revoke(key.split("_")[1], "pat")
        told = await asyncio.wait_for(answer.text(), 20)
    assert '"is_final": true' not in told


async def test_nobody_hears_of_another_line(api: Api, person: Person) -> None:
    await api.let_in()
    share_pack_id = (await api.upload(SALES)).json["SharePackId"]
    await person.sign_in(await api.key("finance"))
    async with person.session.get(f"{api.url}/packs/{share_pack_id}/events") as answer:
        assert answer.status == 404
