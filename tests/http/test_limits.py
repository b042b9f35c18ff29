"""Bodies that are too large, too slow or no form; files with names that want to be elsewhere; archives that unpack to
more than they are."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from reconciler.http import limits
from reconciler.http.limits import RateLimit
from tests.http.api import UPLOAD, Api, served
from tests.journeys.journey import Journey, git
from tests.journeys.packs import SALES

MOST = 20_000

NAMES = [
    "../../../../etc/passwd",
    "..\\..\\windows\\system32\\drivers\\etc\\hosts.yaml",
    "/etc/cron.d/root.yaml",
    "C:\\autoexec.yaml",
    "sharepack.yaml\x00.xlsx",
    "CON.yaml",
    "aux",
    "x" * 300 + ".yaml",
    "sh\u0430rep\u0430ck\u2024yaml",
    "\u202egnp.yaml",
    ".git/config",
    ".github/workflows/pwn.yaml",
    "tenants.yaml",
    "~$sharepack.yaml",
    "-rf.yaml",
    "$(touch pwned).yaml",
    "; rm -rf /.yaml",
    "\r\nX-Injected: 1.yaml",
    "",
]


async def test_a_name_decides_nothing_about_where_a_file_goes(journey: Journey) -> None:
    """All of them to one server, each with a pack that says something new."""
    journey.commit("An empty folder of packs")
    async with served(journey, api_rate_per_minute=1000) as api:
        await api.let_in()
        taken = [name for number, name in enumerate(NAMES) if await _is_taken(api, name, number)]
    assert taken


async def _is_taken(api: Api, name: str, number: int) -> bool:
    repository = api.journey.repository
    before = git(repository, "rev-parse", "HEAD")
    pack = SALES.replace("Q1 sales data", f"Q1 sales data, {number}")
    # As clients escape names in forms.
    sent = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    body = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{sent}"\r\n\r\n{pack}\r\n--x--\r\n'
    answer = await api.ask(
        UPLOAD,
        "POST",
        headers={**api.headers, "X-Workspace-URL": api.journey.url, "Content-Type": "multipart/form-data; boundary=x"},
        data=body.encode(),
    )
    changed = git(repository, "diff", "--name-only", before, "HEAD").splitlines()
    assert "x-injected" not in answer.headers
    if answer.status == 202:
        assert changed == ["sharepacks/sales-operations/sales-data-q1-2024.yaml"], name
        return True
    assert answer.status == 400, answer.text
    assert git(repository, "rev-parse", "HEAD") == before, name
    return False


async def test_a_file_that_is_too_large_is_refused(journey: Journey) -> None:
    async with served(journey, api_max_upload_bytes=MOST) as api:
        await api.let_in()
        answer = await api.upload(SALES + "#" * MOST)
        assert (answer.status, answer.json["type"]) == (413, "urn:sharepack:problem:too-large")
        assert f"{MOST:,} bytes" in answer.json["detail"]


@pytest.mark.parametrize("tells_length", [True, False])
async def test_a_body_that_is_too_large_is_not_kept_and_its_sender_hears_why(
    journey: Journey, tells_length: bool
) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.yaml"\r\n\r\n'
        yield head
        for _ in range(30):
            sent += 100_000
            yield b"#" * 100_000

    async with served(journey, api_max_upload_bytes=MOST) as api:
        await api.let_in()
        headers = {**api.headers, "X-Workspace-URL": journey.url, "Content-Type": "multipart/form-data; boundary=x"}
        body: object = io.BytesIO(b"#" * 3_000_000) if tells_length else parts()
        answer = await api.ask(UPLOAD, "POST", headers=headers, data=body)
        assert (answer.status, answer.headers.get("connection")) == (413, "close")


async def test_an_endless_body_is_cut_off(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_DRAIN_SECONDS", 0.3)
    async with served(journey, api_max_upload_bytes=MOST) as api:
        key = await api.key()
        where = urlsplit(api.url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        head = (
            f"POST {UPLOAD} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nX-Workspace-URL: {journey.url}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n"
        )
        writer.write(head.encode())
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"too-large" in answer


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("text/yaml", SALES.encode()),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n--y--"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\n',
        ),
        ("multipart/form-data; boundary=x; charset=nonsense", b"--x--\r\n"),
        ("", b""),
    ],
)
async def test_what_is_no_form_with_a_file_is_told_so(api: Api, kind: str, body: bytes) -> None:
    await api.let_in()
    headers = {**api.headers, "X-Workspace-URL": api.journey.url, **({"Content-Type": kind} if kind else {})}
    answer = await api.ask(UPLOAD, "POST", headers=headers, data=body)
    assert (answer.status, answer.json["type"]) == (400, "urn:sharepack:problem:form"), answer.text


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\xff\xfe", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"[]"]
)
async def test_what_is_no_pack_is_told_so(api: Api, content: bytes) -> None:
    await api.let_in()
    answer = await api.upload(content)
    assert answer.status == 400, answer.text
    assert answer.json["Status"] == "VALIDATION_FAILED"
    assert answer.json["ValidationErrors"]


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", b"<a/>")
        archive.writestr("xl/workbook.xml", b" " * 200_000_000)
    return packed.getvalue()


def many_parts() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(2_000):
            archive.writestr(f"xl/{number}.xml", b"")
    return packed.getvalue()


async def test_zip_bombs_do_not_go_off(api: Api) -> None:
    await api.let_in()
    for content in (bomb(), many_parts()):
        answer = await api.upload(content, name="sharepack.xlsx")
        assert answer.status == 400
        assert {each["Rule"] for each in answer.json["ValidationErrors"]} == {"workbook-zip-bomb"}


def test_what_was_used_up_comes_back_evenly() -> None:
    now = 0.0
    rate = RateLimit(60, clock=lambda: now)
    assert [rate.wait("a") for _ in range(61)] == [0] * 60 + [1]
    now = 1.0
    assert (rate.wait("a"), rate.wait("a")) == (0, 1)
    now = 1000.0
    assert [rate.wait("a") for _ in range(61)] == [0] * 60 + [1]


def test_callers_beyond_count_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST", 10)
    rate = RateLimit(1, clock=lambda: 0.0)
    for number in range(100):
        assert rate.wait(str(number)) == 0
    assert len(rate._left) == 10
    assert rate.wait("99") > 0
