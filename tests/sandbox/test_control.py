"""The control surface: what a test can make go wrong, and what it can look at. It is no part of the API."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InternalError

from reconciler.sandbox import ControlClient, Knobs, Sandbox, Seed, request_log
from reconciler.sandbox.control_client import ControlRefused
from reconciler.sandbox.faults import Faults, read_fault
from tests.sandbox.plain import ADMIN, SALES, UNITY, Plain, an_add


def test_a_fault_strikes_as_often_as_told(plain: Plain, control: ControlClient) -> None:
    control.fault(f"GET {UNITY}/shares*", status=503, error_code="TEMPORARILY_UNAVAILABLE", offset=1, times=2)
    assert [plain.get("shares").status for _ in range(4)] == [200, 503, 503, 200]
    assert plain.get("recipients").status == 200
    (rule,) = control.faults()
    assert rule["matched"] == 4
    control.fault("* *", status=500, times=0, body={"error_code": "MINE", "message": "mine"}, retry_after=7)
    answer = plain.get("recipients")
    assert answer.error == (500, "MINE")
    assert answer.headers["Retry-After"] == "7"
    control.clear_faults()
    assert plain.get("recipients").status == 200


def test_done_but_the_answer_is_lost(workspace: WorkspaceClient, control: ControlClient, plain: Plain) -> None:
    """Contract 1.6: the SDK sends a POST again after a lost answer, and then sees ALREADY_EXISTS."""
    control.fault(f"POST {UNITY}/shares", after_handler=True, drop_connection=True)
    with pytest.raises(BadRequest) as refused:
        workspace.shares.create("sales")
    assert refused.value.error_code == "SHARE_ALREADY_EXISTS"
    assert plain.get("shares/sales").status == 200
    first, second = control.log(writes_only=True)
    assert (first["status"], first["fault"]) == (None, "after")
    assert (second["status"], second["fault"]) == (400, None)


def test_refused_after_it_was_done(workspace: WorkspaceClient, control: ControlClient, plain: Plain) -> None:
    control.fault(f"POST {UNITY}/shares", status=500, after_handler=True)
    with pytest.raises(InternalError):
        workspace.shares.create("sales")
    assert plain.get("shares/sales").status == 200


def test_dropped_before_it_was_done(plain: Plain, control: ControlClient) -> None:
    control.fault(f"POST {UNITY}/shares", drop_connection=True)
    with pytest.raises(OSError, match=r"closed|reset"):
        plain.post("shares", {"name": "sales"})
    assert plain.get("shares/sales").status == 404
    assert control.counts()["by_status"]["dropped"] == 1


def test_the_sdk_waits_out_throttling(workspace: WorkspaceClient, plain: Plain, control: ControlClient) -> None:
    """Contract 1.6: 429 is retried by the SDK. The Retry-After header on real 429s is UNCONFIRMED, hence a knob."""
    control.throttle(2, 1, writes_only=True)
    plain.a_recipient()
    answer = plain.post("recipients", {"name": "next"})
    assert answer.error == (429, "REQUEST_LIMIT_EXCEEDED")
    assert answer.headers["Retry-After"] == "1"
    assert plain.get("recipients").status == 200, "reads are let through"
    control.knobs(retry_after_header=False)
    assert "Retry-After" not in plain.post("recipients", {"name": "next"}).headers
    assert workspace.shares.create("sales").name == "sales"
    control.throttle(None)
    assert [plain.post("shares", {"name": f"s{number}"}).status for number in range(5)] == [200] * 5


def test_latency_delays_each_call_and_blocks_none(plain: Plain, control: ControlClient) -> None:
    control.latency(400)
    threads = [threading.Thread(target=plain.get, args=("shares",)) for _ in range(10)]
    started = time.monotonic()
    for each in threads:
        each.start()
    control.counts()
    assert time.monotonic() - started < 0.4, "the control surface is not delayed"
    for each in threads:
        each.join()
    assert 0.4 <= time.monotonic() - started < 2.0, "side by side, not one after the other"


def test_a_slow_read_tells_what_was_there_when_it_came_and_a_slow_write_is_done_when_it_is_answered(
    plain: Plain, control: ControlClient
) -> None:
    control.latency(600)
    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(plain.post, "shares", {"name": "sales"})
        reading = threads.submit(plain.get, "shares/sales")
        time.sleep(0.2)
        control.latency(0)
        assert plain.get("shares/sales").status == 404
        assert reading.result().status == 404
        assert writing.result().status == 200
    assert plain.get("shares/sales").status == 200


def test_the_log_tells_what_was_asked(plain: Plain, control: ControlClient) -> None:
    plain.a_share("sales", f"{SALES}.refunds")
    plain.get("shares/sales?include_shared_data=true")
    create, update, read = control.log()
    assert (create["method"], create["path"], create["body"]) == ("POST", f"{UNITY}/shares", {"name": "sales"})
    assert (create["status"], create["principal"]) == (200, "sharepack@sandbox.example")
    assert create["request_id"]
    assert update["body"] == {"updates": [an_add(f"{SALES}.refunds")]}
    assert (read["query"], read["route"]) == ("include_shared_data=true", f"{UNITY}/shares/{{name}}")
    assert control.log(writes_only=True) == [create, update]
    assert control.log(since=update["sequence"]) == [read]
    counts = control.counts()
    assert (counts["total"], counts["writes"]) == (3, 2)
    assert counts["by_route"][f"GET {UNITY}/shares/{{name}}"] == 1
    control.clear_log()
    assert control.log() == []
    assert control.counts()["total"] == 0


def test_no_secret_is_in_log_state_or_dump(url: str, plain: Plain, control: ControlClient) -> None:
    made = plain.a_recipient("partner", sharing_code="very-secret-code")
    secret = made["activation_url"].partition("?")[2]
    nobody = plain.as_(None)
    nobody.get(f"/delta_sharing/retrieve_config.html?{secret}")
    nobody.get(f"{UNITY}/public/data_sharing_activation/{url}/delta_sharing/retrieve_config.html?{secret}")
    nobody.get(f"{UNITY}/public/data_sharing_activation/{secret}")
    form = b"grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret"
    access = nobody.call("POST", "/oidc/v1/token", form).body["access_token"]
    plain.as_(access).get("shares?access_token=abc")
    plain.post("nowhere", {"token": "in-a-body", "nested": [{"client_secret": "deeper"}]})
    seen = f"{control.log()}{control.state()}{control.counts()}"
    for each in (secret, ADMIN, access, "very-secret-code", "sandbox-secret", "in-a-body", "deeper", "=abc"):
        assert each not in seen
    assert len(control.log()) == 7


def test_the_log_is_bounded() -> None:
    with Sandbox(Seed.example(), log_capacity=3).serving() as url:
        for _ in range(5):
            Plain(url).get("shares")
        control = ControlClient(url)
        assert [each["sequence"] for each in control.log()] == [3, 4, 5]
        assert control.counts()["total"] == 5


def test_what_the_log_has_forgotten_is_still_counted() -> None:
    with Sandbox(Seed.example(), log_capacity=3).serving() as url:
        plain, control = Plain(url), ControlClient(url)
        control.fault(f"GET {UNITY}/shares", status=503, times=2)
        control.fault(f"POST {UNITY}/shares", drop_connection=True, after_handler=True)
        for number in range(4):
            plain.get("shares")
            plain.get(f"recipients/{number}")
        with pytest.raises(OSError, match=r"closed|reset"):
            plain.post("shares", {"name": "sales"})
        assert len(control.log()) == 3
        assert [each["sequence"] for each in control.log(limit=1)] == [9]
        counts = control.counts()
    assert counts["total"] == 9
    assert counts["writes"] == 1
    assert counts["by_status"] == {"200": 2, "404": 4, "503": 2, "dropped": 1}
    assert counts["by_fault"] == {"503 before": 2, "dropped after": 1}


def test_bodies_in_the_log_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "MOST_BODY_CHARACTERS", 1000)
    with Sandbox(Seed.example()).serving() as url:
        plain, control = Plain(url), ControlClient(url)
        for number in range(5):
            plain.post("shares", {"name": f"s{number}", "comment": "x" * 350})
        assert [each["body"]["name"] for each in control.log()] == ["s3", "s4"]
        assert control.counts()["writes"] == 5


def test_a_fault_may_only_delay(plain: Plain, control: ControlClient) -> None:
    control.fault(f"POST {UNITY}/shares", delay_ms=300, delay_only=True)
    started = time.monotonic()
    plain.a_share()
    assert time.monotonic() - started >= 0.3
    (entry,) = control.log()
    assert (entry["status"], entry["fault"]) == (200, "delayed")
    assert control.counts()["by_fault"] == {"200 delayed": 1}


def test_one_fault_can_be_taken_away(plain: Plain, control: ControlClient) -> None:
    first, second = (control.fault(f"GET {UNITY}/{kind}", times=0) for kind in ("shares", "recipients"))
    control.remove_fault(first)
    control.remove_fault(first)
    assert [each["id"] for each in control.faults()] == [second]
    assert (plain.get("shares").status, plain.get("recipients").status) == (200, 500)


def test_faults_that_are_over_do_not_pile_up() -> None:
    faults = Faults()
    rules = [read_fault({"pattern": "GET /x"}) for _ in range(2500)]
    lasting = read_fault({"pattern": "GET /y", "times": 0})
    faults.add(lasting)
    for rule in rules:
        faults.add(rule)
        assert faults.strike("GET", "/x") == rule
    assert len(faults.as_json()) <= 1000
    assert faults.strike("GET", "/y") == lasting


def test_access_tokens_that_have_ended_are_forgotten() -> None:
    sandbox = Sandbox(Seed.example())
    with sandbox.serving() as url:
        form = b"grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret"
        for _ in range(3):
            token = Plain(url, None).call("POST", "/oidc/v1/token", form).body["access_token"]
            assert Plain(url, token).get("shares").status == 200
            ControlClient(url).advance_clock(4000)
        assert len(sandbox._world.sessions._issued) == 1


def test_the_clock_can_be_moved(plain: Plain, control: ControlClient) -> None:
    at = control.set_clock("2031-05-06T07:08:09+00:00")
    assert at == pytest.approx(1_935_817_689_000, abs=1000)
    assert plain.a_share()["created_at"] == pytest.approx(at, abs=5000)
    assert control.advance_clock(3600) == pytest.approx(at + 3_600_000, abs=5000)


def test_reset_goes_back_to_the_beginning(plain: Plain, control: ControlClient) -> None:
    plain.a_share()
    control.knobs(page_size=1)
    control.fault("* *", times=0)
    control.latency(10)
    control.advance_clock(100)
    control.reset()
    assert plain.get("shares").body == {}
    assert control.knobs()["page_size"] == 100
    assert control.state()["shares"] == []
    assert [each["path"] for each in control.log()] == [f"{UNITY}/shares"]


def test_the_dump_shows_objects_and_permissions(plain: Plain, control: ControlClient) -> None:
    plain.a_recipient()
    plain.a_share("sales", f"{SALES}.refunds")
    plain.a_grant()
    found = control.state()
    assert found["shares"][0]["objects"][0]["name"] == f"{SALES}.refunds"
    assert found["shares"][0]["permissions"] == [{"principal": "partner", "privileges": ["SELECT"]}]
    assert found["recipients"][0]["name"] == "partner"


@pytest.mark.parametrize(
    ("name", "body", "fragment"),
    [
        ("fault", {"pattern": "shares"}, "pattern must look like"),
        ("fault", {"pattern": "* *", "wrong": 1}, "no field 'wrong'"),
        ("fault", {"pattern": "* *", "status": 99}, "between 200 and 599"),
        ("latency", {"ms": -1}, "ms must be"),
        ("throttle", {"rate": 0}, "rate must be"),
        ("clock", {}, "give advance_seconds"),
        ("clock", {"set": "tomorrow"}, "not an ISO time"),
        ("knobs", {"page_size": 0}, "the smallest it may be is 1"),
        ("knobs", {"token_order": "random"}, "newest or oldest or shuffle"),
        ("knobs", {"nope": 1}, "There is no knob 'nope'"),
        ("seed", {"catalogs": 1}, "must have `admin: true`"),
        ("nope", {}, "No API found"),
    ],
)
def test_wrong_control_calls_say_what_is_wrong(plain: Plain, name: str, body: dict[str, object], fragment: str) -> None:
    answer = plain.post(f"/__sandbox/{name}", body)
    assert answer.status in {400, 404}
    assert fragment in answer.body["message"]


def test_the_control_client_raises_what_was_refused(control: ControlClient) -> None:
    with pytest.raises(ControlRefused, match="There is no knob"):
        control.knobs(nope=1)


def test_knobs_check_themselves() -> None:
    for wrong in ({"page_size": "2"}, {"lowercase_names": 1}, {"already_exists_status": 410}, {"stale_reads": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Knobs(**wrong)


def test_names_keep_their_case_by_the_knob() -> None:
    """Contract 2.8: UNCONFIRMED for shares and recipients, hence a knob; lookups never mind the case."""
    with Sandbox(Seed.example(), Knobs(lowercase_names=False)).serving() as url:
        plain = Plain(url)
        assert plain.a_share("Sales", f"{SALES}.Refunds")["name"] == "Sales"
        assert plain.get("shares/sALES").body["name"] == "Sales"
        assert plain.objects("sales")[0]["name"] == f"{SALES}.Refunds"


def test_two_sandboxes_share_nothing() -> None:
    seed = Seed.example()
    with Sandbox(seed).serving() as one, Sandbox(seed).serving() as two:
        Plain(one).a_share()
        ControlClient(one).latency(0)
        Plain(one).patch("permissions/catalog/catalog", {"changes": [{"principal": "data-readers", "add": ["SELECT"]}]})
        assert Plain(two).get("shares").body == {}
        assert Plain(two).get("permissions/catalog/catalog").body == {}
        assert ControlClient(two).counts()["writes"] == 0


async def test_it_serves_in_the_event_loop_of_its_caller(tmp_path: Path) -> None:
    async with Sandbox(Seed.example(), state_file=tmp_path / "state.json").serve() as url:
        made = await asyncio.to_thread(Plain(url).a_share)
    assert made["name"] == "sales"
    with pytest.raises(OSError, match="refused"):
        Plain(url).get("shares")
