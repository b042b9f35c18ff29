"""What reaches standard error, in processes of their own: logging is configured once for all of one."""

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn
from uuid import UUID

import pytest
from loguru import logger

from reconciler.core.calls import Call, CreateShare
from reconciler.core.key import PackId, share_key
from reconciler.core.pack import Strategy
from reconciler.daemon.logs import Telling, configure
from reconciler.daemon.scrubbing import Scrubber, secrets_of
from reconciler.ports.ledger import Claim, Holder, PackOrder, WorkStatus
from reconciler.settings import Settings
from reconciler.stages.events import Event, Overtaken, Started, Troubled, Waiting
from reconciler.stages.work import Ended, Performed
from tests.journeys.canaries import forms

URL = "https://adb-1.2.azuredatabricks.net"
WORD = "canarybird"
PACK = PackId.of("Sales Operations", "Sales Data Q1 2024")
CLAIM = Claim(
    work_id=UUID(int=1),
    order=PackOrder(PACK, "sharepacks/q1.yaml", URL, "ann@example.com", Strategy.NEW, "yaml", {}),
    plan_id=UUID(int=2),
    commit="1f2e3d4c",
    actor="daemon",
    worker="host:1",
    fence=1,
    attempts=2,
)
CALL: Call = CreateShare(share_key("q1_share", URL))
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

Heard = pytest.CaptureFixture[str]


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, shown = list(root.handlers), root.level, warnings.showwarning
    # Other tests turn on all that can be logged.
    logging.getLogger("asyncio").setLevel(logging.NOTSET)
    yield
    logger.remove()
    logging.captureWarnings(capture=False)
    warnings.showwarning = shown
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def _json(_as_it_was: None) -> None:
    configure("json", "debug")


def said(capsys: Heard) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


EVENTS: list[tuple[Event, str, dict[str, object]]] = [
    (Started(CLAIM), "INFO", {"message": "work begun", "attempt": 2, "commit": "1f2e3d4c"}),
    (
        Performed(CLAIM, CALL, "req-7"),
        "INFO",
        {"key": "share/q1_share", "call": "CreateShare", "request_id": "req-7", "workspace": URL},
    ),
    (Ended(CLAIM, WorkStatus.DONE), "INFO", {"status": "done", "message": "work ended done"}),
    (Ended(CLAIM, WorkStatus.HELD, "a hold"), "WARNING", {"message": "work ended held: a hold"}),
    (
        Ended(CLAIM, WorkStatus.FAILED, "PERMISSION_DENIED: {no} %s", request_id="req-9"),
        "ERROR",
        {"message": "work ended failed: PERMISSION_DENIED: {no} %s", "request_id": "req-9"},
    ),
    (Ended(CLAIM, WorkStatus.NEEDS_ATTENTION, "?"), "ERROR", {"status": "needs_attention"}),
    (
        Ended(CLAIM, WorkStatus.WAITING, "429", retry_in=120.4),
        "WARNING",
        {"message": "work put back, again in 120 s: 429"},
    ),
    (Overtaken(CLAIM), "WARNING", {}),
]


@pytest.mark.usefixtures("_json")
@pytest.mark.parametrize(("event", "level", "fields"), EVENTS, ids=lambda value: type(value).__name__)
def test_an_event_is_a_line_with_its_ids(capsys: Heard, event: Event, level: str, fields: dict[str, object]) -> None:
    Telling(daemon="host:1")(event)
    (line,) = said(capsys)
    ids = {"plan_id": str(CLAIM.plan_id), "work_id": str(CLAIM.work_id), "pack": str(PACK), "daemon": "host:1"}
    assert line.items() >= {"level": level, **ids, **fields}.items()
    assert datetime.fromisoformat(str(line["time"])).utcoffset() == timedelta(0)


@pytest.mark.usefixtures("_json")
def test_events_without_a_claim(capsys: Heard) -> None:
    telling = Telling()
    telling(Waiting(UUID(int=5), Holder("other:9", AT, AT + timedelta(seconds=60))))
    telling(Troubled("the database is away {}"))
    waiting, troubled = said(capsys)
    assert waiting.items() >= {"work_id": str(UUID(int=5)), "holder": "other:9", "level": "INFO"}.items()
    assert "09:31:00 UTC" in str(waiting["message"])
    assert troubled.items() >= {"message": "the database is away {}", "level": "WARNING"}.items()


@pytest.mark.usefixtures("_as_it_was")
def test_text_is_one_line_whatever_is_in_it(capsys: Heard) -> None:
    configure("text")
    logger.debug("not at this level")
    logger.bind(pack="Sales / Q1", empty="", work_id="w-1").warning("two\nlines \x1b[31m and {braces}")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r'WARNING  two\nlines \x1b[31m and {braces}  pack="Sales / Q1" work_id=w-1')


@pytest.mark.usefixtures("_json")
def test_a_field_cannot_pass_for_the_message(capsys: Heard) -> None:
    logger.bind(message="forged", level="DEBUG", count=3, is_on=True, nothing=None).error("real")
    (line,) = said(capsys)
    assert line.items() >= {"message": "real", "level": "ERROR", "count": 3, "is_on": True, "nothing": None}.items()


def fail(words: str) -> NoReturn:
    raise ValueError(words)


class Awkward:
    def __str__(self) -> str:
        raise ValueError(f"token={WORD}-awkward")


@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize("form", ["text", "json"])
def test_what_cannot_be_written_is_said_and_stops_nothing(capsys: Heard, form: str) -> None:
    configure("json" if form == "json" else "text")
    logger.bind(field=Awkward()).info("hm")
    assert capsys.readouterr().err == "a line could not be logged: ValueError\n"


CANARIES = [
    f"{URL}/delta_sharing/retrieve_config.html?{WORD}",
    f"https://x.example/activation/{WORD}#{WORD}",
    f"dapi{WORD}0123456789",
    f"ghs_{WORD}0123456789",
    f"github_pat_11ABC_{WORD}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{WORD}\n{WORD}==\n-----END RSA PRIVATE KEY-----",
    f"dapi-{WORD}-of-the-administrator",
    f"postgresql://ann:{WORD}@db.example:5432/x",
    f"postgresql://ann:{WORD}/with#odd@characters@db.example/x",
    f"host=db user=ann password={WORD} dbname=x",
    f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={WORD}==;EndpointSuffix=core.windows.net",
    f"QueueEndpoint=https://a.queue.core.windows.net;SharedAccessSignature=sv=2019&sig={WORD}%3D",
    f"https://a.queue.core.windows.net/q?sv=2019&se=2026&sig={WORD}%2Bx&sp=raup",
    f'{{"shareCredentialsVersion": 1, "bearerToken": "{WORD}", "endpoint": "https://x"}}',
    f"Authorization: Bearer {WORD}",
    f"'Authorization': 'Basic {WORD}'",
    f"client_secret='{WORD}'",
    f"eyJhbGciOiJIUzI1NiJ9.{WORD}.{WORD}",
]


@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("canary", CANARIES)
def test_nothing_that_looks_like_a_secret_gets_out(capsys: Heard, form: str, canary: str) -> None:
    configure("json" if form == "json" else "text")
    try:
        fail(f"inside: {canary}")
    except ValueError:
        logger.bind(where=canary).exception(f"failed with {canary}")
    Telling()(Ended(CLAIM, WorkStatus.FAILED, canary))
    logging.getLogger("some.library").error("says %s", canary)
    logging.getLogger("databricks.sdk").error("says %s", canary)
    heard = capsys.readouterr().err.encode().lower()
    assert heard.count(b"[removed]") >= 4
    assert not [each for each in forms(WORD) if each in heard], heard.decode()


@pytest.mark.parametrize(
    "harmless",
    [
        "PERMISSION_DENIED: User lacks CREATE SHARE on the metastore",
        "rotated the token of recipient/sales-analyst, 2 tokens",
        "https://adb-1.2.azuredatabricks.net answers 503",
        "database deltashare on db.example: the user or the password was not accepted; check it",
        "ann@example.com at 09:30:12 of https://x.example:8443/path",
        "token_lifetime=90d",
    ],
)
def test_what_an_operator_needs_stays(harmless: str) -> None:
    assert Scrubber(["some-known-secret"])(harmless) == harmless


def test_what_the_settings_hold_is_known_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("domain_db_connection_string", "postgresql://ann:pass%2Fword-of-ann@db.example/x"),
        ("azure_queue_connection_string", "AccountName=a;AccountKey=a2V5LW9mLXRoZS1hY2NvdW50;EndpointSuffix=x"),
        ("databricks_client_secret", "plain-looking-words"),
        ("databricks_auth_type", "oauth-m2m"),
    ):
        monkeypatch.setenv(name, value)
    scrub = Scrubber(secrets_of(Settings.load()))
    assert scrub("plain-looking-words, pass/word-of-ann") == "[removed], [removed]"
    assert scrub("pass%2Fword-of-ann a2V5LW9mLXRoZS1hY2NvdW50 by oauth-m2m") == "[removed] [removed] by oauth-m2m"


def test_the_private_key_of_an_app_is_known_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "app.pem"
    place.write_text("-----BEGIN RSA PRIVATE KEY-----\nfirst-line-of-the-key\n-----END RSA PRIVATE KEY-----\n")
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.load(github_app_id="7", github_app_private_key_path=place)
    assert Scrubber(secrets_of(settings))("cannot read first-line-of-the-key") == "cannot read [removed]"


@pytest.mark.usefixtures("_json")
@pytest.mark.parametrize("library", ["databricks.sdk", "azure.core.pipeline", "urllib3.connectionpool", "requests"])
def test_an_sdk_is_heard_only_when_it_fails_and_without_its_exception(
    capsys: Heard, caplog: pytest.LogCaptureFixture, library: str
) -> None:
    caplog.set_level(logging.DEBUG, logger=library)
    theirs = logging.getLogger(library)
    theirs.debug("a request with everything")
    theirs.info("a request")
    theirs.warning("Retrying (Retry(total=2)) after connection broken")
    try:
        fail("an answer with everything")
    except ValueError:
        theirs.exception("failed\nbody: everything")
    lines = [line for line in said(capsys) if line.get("library") == library]
    # Some levels are raised by the adapters when they are imported.
    assert lines in ([{"library": library, "time": lines[0]["time"], "level": "ERROR", "message": "failed"}], [])
    if library in {"urllib3.connectionpool", "requests"}:
        assert lines


@pytest.mark.usefixtures("_json")
def test_warnings_and_other_libraries_come_through_as_lines(capsys: Heard) -> None:
    with warnings.catch_warnings():
        # Not what is collected as garbage meanwhile.
        warnings.simplefilter("always", DeprecationWarning)
        logging.captureWarnings(capture=True)
        warnings.warn(f"old token={WORD}", DeprecationWarning, stacklevel=1)
    logging.getLogger("asyncio").info("not this")
    logging.getLogger("asyncio").error("a task failed %s", {"no": "formats"})
    (handler,) = (each for each in logging.getLogger().handlers if type(each).__module__ == "reconciler.daemon.logs")
    handler.emit(logging.LogRecord("odd", 35, "odd.py", 1, "%d", ("not a number",), None))
    warning, failed, odd = said(capsys)
    assert WORD not in str(warning)
    assert (warning["library"], warning["level"]) == ("py.warnings", "WARNING")
    assert (failed["library"], failed["message"]) == ("asyncio", "a task failed {'no': 'formats'}")
    assert (odd["message"], odd["level"]) == ("%d", "Level 35")


PROGRAM = """
import asyncio, logging, sys, warnings
from loguru import logger
from reconciler.daemon.logs import configure
configure(sys.argv[1], "info", ["the-known-secret"])
configure(sys.argv[1], "info", ["the-known-secret"])
logger.info("hello the-known-secret")
warnings.warn("odd")
async def fail():
    raise ValueError("dapi0123456789abcdef")
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
asyncio.run(main())
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_process_of_its_own_says_each_thing_once_on_standard_error(form: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    assert done.stderr.count("hello [removed]") == 1
    assert done.stderr.count("odd") == 1
    assert "ValueError" in done.stderr
    assert "dapi0123" not in done.stderr
    if form == "json":
        assert all(json.loads(line)["level"] for line in done.stderr.splitlines())


def test_standard_error_that_is_closed_stops_nothing() -> None:
    program = "import sys; from reconciler.daemon.logs import configure, logger; configure(); sys.stderr.close()"
    going_on = f"{program}; logger.info('x'); print('on')"
    done = subprocess.run([sys.executable, "-c", going_on], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "on\n"
