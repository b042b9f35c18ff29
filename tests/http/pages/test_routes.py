"""The pages over the running application, without script: signing in, looking, handing in; and what is kept from
whom."""

import asyncio
import io
from datetime import timedelta

import openpyxl
import pytest

from reconciler.core.permits import Right
from tests.http.api import Api, served
from tests.http.pages.person import Person, somebody
from tests.journeys.journey import Journey, git
from tests.journeys.packs import SALES
from tests.render.html.parsed import parse

UNKNOWN = "5f5b6e1c-7b3e-4d2b-9a53-0d7b9c9d4a10"
HR = (
    SALES.replace("Sales Operations", "Human Resources")
    .replace("Sales Data Q1 2024", "Pay")
    .replace("sales-analyst", "pay-auditor")
    .replace("sales_q1_share", "pay_share")
)


async def handed_in(api: Api, content: str) -> str:
    """Done by workers; its id."""
    answer = await api.upload(content)
    assert answer.status == 202, answer.text
    share_pack_id = str(answer.json["SharePackId"])
    assert (await api.ended(share_pack_id))["Status"] == "COMPLETED"
    return share_pack_id


async def test_who_is_nobody_is_asked_to_sign_in_and_led_on(api: Api, person: Person) -> None:
    for path in (
        "/",
        "/access?recipient=x",
        "/upload",
        "/packs/5f5b6e1c-7b3e-4d2b-9a53-0d7b9c9d4a10",
        "/access/export",
    ):
        await person.open(path)
        assert (person.statuses, person.title) == ([303, 200], "Sign in"), path
    await person.open("/access?recipient=x")
    await person.send("/sign-in", {"key": await api.key()})
    assert person.path == "/access?recipient=x"
    assert person.statuses == [303, 200]


async def test_a_key_that_is_not_known_or_has_ended_opens_nothing(api: Api, person: Person) -> None:
    ended, revoked = await api.key(lasts=timedelta(hours=-1)), await api.key(revoked=True)
    for key in ("", "nonsense", "spk_aaaaaaaa_" + "b" * 43, ended, revoked):
        await person.sign_in(key)
        assert person.answer.status == 401
        assert "not known here, or has ended" in person.text
        assert not key or key not in person.answer.text
    await person.open("/")
    assert person.title == "Sign in"


async def test_a_session_is_kept_from_scripts_and_other_sites_and_holds_no_key(api: Api, person: Person) -> None:
    key = await api.key()
    await person.open("/sign-in")
    fields = {**person.hidden("/sign-in"), "key": key}
    async with person.session.post(f"{api.url}/sign-in", data=fields, allow_redirects=False) as answer:
        (said,) = answer.headers.getall("Set-Cookie")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {each.strip() for each in said.split(";")}
    assert "Secure" not in said
    assert key not in said


async def test_behind_a_trusted_proxy_with_tls_cookies_are_never_sent_without_it(journey: Journey) -> None:
    journey.commit("An empty folder of packs")
    headers = {"X-Forwarded-Proto": "https"}
    for trusted, is_secure in (("127.0.0.1/32", True), ("", False)):
        async with served(journey, api_trusted_proxies=trusted) as api:
            answer = await api.ask("/sign-in", headers=headers)
            assert ("Secure" in answer.headers["set-cookie"]) is is_secure, trusted


async def test_signing_out_ends_the_session(api: Api, person: Person) -> None:
    await person.sign_in(await api.key())
    kept = {cookie.key: cookie.value for cookie in person.session.cookie_jar}
    await person.send("/sign-out")
    assert person.title == "Sign in"
    async with person.session.get(f"{api.url}/", cookies=kept, allow_redirects=False) as answer:
        assert answer.status == 303


async def test_a_key_that_is_revoked_ends_what_was_signed_in_with_it(api: Api, person: Person) -> None:
    key = await api.key()
    await person.sign_in(key)
    assert person.title == "Packs"
    assert await api.portal.keyring.revoke(key.split("_")[1], "pat")
    await person.open("/")
    assert person.title == "Sign in"


async def test_a_form_of_another_site_does_nothing(api: Api, person: Person) -> None:
    await person.sign_in(await api.key())
    for action in ("/upload", "/upload/submit", "/sign-out", "/sign-in"):
        for token in ("", "f00d", "\N{SNOWMAN}"):
            async with person.session.post(f"{api.url}{action}", data={"form": token, "key": "x"}) as answer:
                assert answer.status == 403, action
    await person.open("/")
    assert person.title == "Packs"


@pytest.mark.parametrize("after", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil", ""])
async def test_signing_in_leads_nowhere_else(api: Api, person: Person, after: str) -> None:
    await person.sign_in(await api.key(), after)
    assert (person.path, person.title) == ("/", "Packs")


async def test_pages_and_what_they_load_come_with_headers_that_protect_them(api: Api, person: Person) -> None:
    await person.sign_in(await api.key())
    policy = person.answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert person.answer.headers["cache-control"] == "no-store"
    (style,) = [each.attributes["href"] for each in person.elements if each.attributes.get("rel") == "stylesheet"]
    (script,) = [each.attributes["src"] for each in person.elements if each.tag == "script"]
    for address, kind in ((style, "text/css"), (script, "text/javascript")):
        found = await api.ask(address)
        assert found.headers["content-type"].startswith(kind)
        assert "immutable" in found.headers["cache-control"]
        assert (await api.ask(address.partition("?")[0])).headers["cache-control"] == "no-cache"


async def test_a_file_is_tried_then_handed_in_and_its_page_tells_all(working_api: Api, worker_person: Person) -> None:
    person = worker_person
    await person.sign_in(await working_api.key())
    await person.open("/upload")
    await person.send("/upload", {"workspace": working_api.journey.url}, ("sales.yaml", SALES.encode()))
    assert person.answer.status == 200
    assert "gains 2" in person.text
    assert "nothing was written" in person.text
    assert working_api.journey.writes() == []
    await person.send("/upload/submit")
    assert person.statuses == [303, 200]
    assert person.title == "Sales Data Q1 2024"
    async with asyncio.timeout(20):
        while "All resources provisioned" not in person.text:
            await person.open(person.path)
    assert "share/sales_q1_share" in person.text
    assert "2 data objects, 1 recipient" in person.text
    commit = git(working_api.journey.repository, "rev-parse", "HEAD")
    assert commit[:12] in person.text
    assert "key portal" in person.text
    await person.open(f"{person.path}?plan=now")
    assert "0 to create" in person.text
    await person.open("/")
    assert "Sales Data Q1 2024" in person.text


async def test_every_problem_of_a_file_is_told_and_nothing_is_handed_in(api: Api, person: Person) -> None:
    before = git(api.journey.repository, "rev-parse", "HEAD")
    await person.sign_in(await api.key())
    broken = SALES.replace("D2O", "D3O").replace("      - sales-analyst", "      - nobody-of-that-name")
    await person.open("/upload")
    await person.send("/upload", {"workspace": api.journey.url}, ("mine.yaml", broken.encode()))
    assert person.answer.status == 400
    assert "mine.yaml has 2 problems" in person.text
    assert "mine.yaml:9:" in person.text
    assert "nobody-of-that-name" in person.text
    await person.send("/upload", {"workspace": "https://elsewhere.example"}, ("mine.yaml", SALES.encode()))
    assert person.answer.status == 409
    await person.send("/upload", {"workspace": api.journey.url})
    assert "Choose a file first" in person.text
    assert git(api.journey.repository, "rev-parse", "HEAD") == before


async def test_who_may_only_read_is_not_let_in_where_packs_are_handed_in(api: Api, person: Person) -> None:
    await person.sign_in(await api.key(right=Right.READ))
    assert "Hand in a pack" not in person.text
    await person.open("/upload")
    assert (person.answer.status, person.title) == (403, "Forbidden")


async def test_a_visitor_sees_and_counts_only_their_business_lines(working_api: Api) -> None:
    await working_api.let_in()
    sales, pay = await handed_in(working_api, SALES), await handed_in(working_api, HR)
    async with somebody(working_api.url) as person:
        await person.sign_in(await working_api.key("sales operations"))
        assert "1 of 1 pack" in person.text
        assert "all 1" in person.text
        await person.open(f"/packs/{sales}")
        assert person.answer.status == 200
        await person.open(f"/packs/{pay}")
        theirs = person.answer
        await person.open(f"/packs/{UNKNOWN}")
        assert (theirs.status, theirs.content) == (404, person.answer.content)
        for path in ("/access", "/access?view=matrix", "/access?business_line=Human+Resources", "/?text=pay"):
            await person.open(path)
            assert not any(name in person.text for name in ("pay_share", "pay-auditor", "Pay ", "2 packs")), path
        await person.open("/access?recipient=pay-auditor")
        assert "nobody can read any of this" in person.text
        await person.open("/access/export?format=csv")
        assert "sales-analyst" in person.answer.text
        assert "pay-auditor" not in person.answer.text


async def test_who_can_see_what_is_asked_and_taken_along(working_api: Api) -> None:
    await working_api.let_in()
    await handed_in(working_api, SALES)
    async with somebody(working_api.url) as person:
        await person.sign_in(await working_api.key())
        await person.open("/access?object=prod_catalog.sales.customers")
        assert "1 recipient can read 1 data object" in person.text
        assert "sales-analyst" in person.text
        await person.open("/access?view=matrix")
        cells = [each for each in person.elements if each.tag == "a" and each.text == "●"]
        assert len(cells) == 2
        await person.open(cells[0].attributes["href"])
        assert "1 recipient can read 1 data object" in person.text
        await person.open("/access?as_of=2020-02-30")
        assert "write a day such as" in person.text
        await person.open("/access?as_of=2020-02-20")
        assert "nobody can read anything" in person.text
        assert "The record begins" in person.text
        await person.open("/access/export?format=xlsx&recipient=sales-analyst")
        book = openpyxl.load_workbook(io.BytesIO(person.answer.content))
        assert book["Access"].max_row == 3


async def test_without_keys_the_pages_are_open_as_far_as_the_setting_says(journey: Journey) -> None:
    journey.commit("An empty folder of packs")
    async with served(journey, api_anonymous="write") as api, somebody(api.url) as person:
        await person.open("/upload")
        await person.send("/upload", {"workspace": api.journey.url}, ("sales.yaml", SALES.encode()))
        assert "gains 2" in person.text
        async with person.session.post(f"{api.url}/upload/submit", data={"content": ""}) as answer:
            assert answer.status == 403


async def test_what_is_not_there_is_told_on_a_page(api: Api, person: Person) -> None:
    await person.sign_in(await api.key())
    for path in ("/packs/nonsense", "/?after=nonsense", "/access?page=0"):
        await person.open(path)
        assert person.answer.status == 404, path
        assert [each for each in parse(person.answer.text) if each.tag == "h1"]
