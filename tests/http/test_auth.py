"""Who gets in: keys that are missing, wrong, ended, revoked and of other lines, and what others learn of a pack."""

import asyncio
import time
from datetime import timedelta
from secrets import token_bytes

import pytest

from reconciler.core.api_key import key_of
from reconciler.core.permits import Right
from tests.http.api import Answer, Api, counted, served
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

LIST = "/workflow/sharepacks"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
CLOSED = [
    LIST,
    f"/workflow/sharepack/{UNKNOWN}",
    f"/workflow/sharepack/{UNKNOWN}/history",
    f"/workflow/sharepack/{UNKNOWN}/plan",
    "/workflow/tenants",
    f"/workflow/tenants/{UNKNOWN}/history",
    "/workflow/projects",
    f"/workflow/projects/{UNKNOWN}/history",
    "/workflow/access",
    "/workflow/events",
]


def told(answer: Answer) -> dict[str, object]:
    """All of a problem but the id of the request."""
    document: dict[str, object] = answer.json
    return {name: value for name, value in document.items() if name not in {"correlation_id", "instance"}}


@pytest.mark.parametrize("path", CLOSED)
async def test_nobody_gets_in_without_a_key(api: Api, path: str) -> None:
    answer = await api.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_an_upload_without_a_key_is_not_even_read(api: Api) -> None:
    async def endless() -> object:
        yield b"--x\r\n"
        await asyncio.sleep(30)

    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-Workspace-URL": "https://a.example.com"}
    async with asyncio.timeout(5):
        answer = await api.ask("/workflow/sharepack/upload", "POST", headers=headers, data=endless())
    assert answer.status == 401


@pytest.mark.parametrize("header", ["X-API-Key", "Ocp-Apim-Subscription-Key", "Authorization"])
async def test_a_key_opens_in_each_of_the_headers(api: Api, header: str) -> None:
    key = await api.key()
    value = f"Bearer {key}" if header == "Authorization" else key
    assert (await api.ask(LIST, headers={header: value})).status == 200


async def test_all_that_is_wrong_with_a_key_is_answered_alike(api: Api) -> None:
    good = await api.key()
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    keys = {
        "wrong": wrong,
        "unknown": key_of("00000000", token_bytes(32)).text,
        "ended": await api.key(lasts=timedelta(seconds=-1)),
        "revoked": await api.key(revoked=True),
        "no key at all": "letmein",
        "a basic one": "",
    }
    answers = [await api.ask(LIST, headers={"X-API-Key": key}) for key in keys.values()]
    assert {answer.status for answer in answers} == {401}
    assert all(told(answer) == told(answers[0]) for answer in answers)
    assert (await api.ask(LIST, headers={"X-API-Key": good})).status == 200


async def test_two_keys_at_once_are_none(api: Api) -> None:
    good, other = await api.key(), await api.key()
    assert (await api.ask(LIST, headers=[("X-API-Key", good), ("X-API-Key", other)])).status == 401
    assert (await api.ask(LIST, headers={"Authorization": "Basic Zm9vOmJhcg==", "X-API-Key": good})).status == 401


async def test_unknown_and_wrong_keys_ask_the_database_the_same(journey: Journey) -> None:
    asked: list[str] = []
    async with served(journey, change=lambda parts: counted(parts, asked)) as api:
        good = await api.key()
        asked.clear()
        seen = []
        for key in (good[:-4] + "AAAA", key_of("00000000", token_bytes(32)).text, await api.key(revoked=True)):
            asked.clear()
            assert (await api.ask(LIST, headers={"X-API-Key": key})).status == 401
            seen.append(tuple(asked))
        assert set(seen) == {("find",)}


async def test_anonymous_is_let_in_where_the_platform_checks_callers(journey: Journey) -> None:
    async with served(journey, api_anonymous="read") as api:
        assert (await api.ask(LIST)).status == 200
        assert (await api.upload(SALES)).status == 403
        # A subscription key of API Management's own is none of ours; a wrong key of ours stays wrong.
        subscription = {"Ocp-Apim-Subscription-Key": "0123456789abcdef0123456789abcdef"}
        assert (await api.ask(LIST, headers=subscription)).status == 200
        assert (await api.ask(LIST, headers={"X-API-Key": "letmein"})).status == 401


@pytest.mark.parametrize("part", ["", "/history", "/plan", "/plan?live=true"])
async def test_a_pack_of_another_line_is_as_if_it_were_not_there(journey: Journey, part: str) -> None:
    asked: list[str] = []
    journey.commit("Nothing")
    async with served(journey, change=lambda parts: counted(parts, asked)) as api:
        await api.let_in()
        mine = (await api.upload(SALES)).json["SharePackId"]
        await api.let_in("Marketing")
        await api.ask(LIST)
        answers, questions = [], []
        for share_pack_id in (mine, UNKNOWN):
            asked.clear()
            answers.append(await api.ask(f"/workflow/sharepack/{share_pack_id}{part}"))
            questions.append(tuple(asked))
        assert answers[0].status == answers[1].status == 404
        assert told(answers[0]) == told(answers[1])
        assert questions[0] == questions[1] == ("find", "pack", "find")
        assert len(answers[0].content) == len(answers[1].content)


async def test_lists_hold_nothing_of_other_lines(api: Api) -> None:
    await api.let_in()
    assert (await api.upload(SALES)).status == 202
    tenant = (await api.ask("/workflow/tenants")).json["Tenants"][0]["TenantId"]
    project = (await api.ask("/workflow/projects")).json["Projects"][0]["ProjectId"]
    assert (await api.ask(LIST)).json["Total"] == 1
    await api.let_in("Marketing")
    assert (await api.ask(LIST)).json == {"SharePacks": [], "Total": 0, "NextCursor": None}
    assert (await api.ask("/workflow/tenants")).json == {"Tenants": []}
    assert (await api.ask("/workflow/projects")).json == {"Projects": []}
    assert (await api.ask(f"/workflow/tenants/{tenant}/history")).status == 404
    assert (await api.ask(f"/workflow/projects/{project}/history")).status == 404
    assert (await api.ask("/workflow/access")).json["Lines"] == []
    await api.let_in("sales OPERATIONS", right=Right.READ)
    assert (await api.ask(LIST)).json["Total"] == 1
    assert len((await api.ask(f"/workflow/tenants/{tenant}/history")).json["Versions"]) == 1


async def test_who_asks_too_often_waits_and_others_do_not(journey: Journey) -> None:
    async with served(journey, api_rate_per_minute=3) as api:
        first, second = {"X-API-Key": await api.key()}, {"X-API-Key": await api.key()}
        statuses = [(await api.ask(LIST, headers=first)).status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = await api.ask(LIST, headers=first)
        assert 1 <= int(refused.headers["retry-after"]) <= 21
        assert refused.json["type"] == "urn:sharepack:problem:rate-limit"
        assert (await api.ask(LIST, headers=second)).status == 200
        assert (await api.ask("/workflow/health")).status == 200


async def test_guessing_keys_is_slowed_down_by_address_whatever_headers_say(journey: Journey) -> None:
    async with served(journey, api_rate_per_minute=3) as api:
        guesses = [{"X-API-Key": "letmein", "X-Forwarded-For": f"198.51.100.{n}"} for n in range(5)]
        assert [(await api.ask(LIST, headers=each)).status for each in guesses] == [401, 401, 401, 429, 429]


async def test_a_trusted_proxy_is_believed_about_its_clients(journey: Journey) -> None:
    async with served(journey, api_rate_per_minute=1, api_trusted_proxies="127.0.0.1") as api:
        guesses = [{"X-API-Key": "letmein", "X-Forwarded-For": f"192.0.2.1, 198.51.100.{n}"} for n in range(3)]
        assert [(await api.ask(LIST, headers=each)).status for each in guesses] == [401, 401, 401]
        # What the client itself wrote stands farther away, and does not count.
        again = {"X-API-Key": "letmein", "X-Forwarded-For": "203.0.113.77, 198.51.100.1"}
        assert (await api.ask(LIST, headers=again)).status == 429


async def test_when_a_key_was_used_is_on_record(api: Api) -> None:
    await api.let_in()
    before = time.time() - 120
    assert (await api.ask(LIST)).status == 200
    (key,) = await api.portal.keyring.keys()
    assert key.used_at is not None
    assert key.used_at.timestamp() > before
