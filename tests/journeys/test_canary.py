"""No secret anywhere: every command runs, also against a workspace that fails and quotes activation links, with logging
as talkative as it gets; then everything that was said and left behind is searched."""

import asyncio
import json
import logging
import re
import signal

import asyncpg
import pytest
import requests
from azure.storage.queue import QueueClient
from databricks.sdk.service.sharing import AuthenticationType, PermissionsChange

from reconciler.adapters.azure_queue.client import API_VERSION
from reconciler.cli import COMMANDS
from tests.github.stand_in import standing_in
from tests.journeys.canary_flight import (
    CLIENT_SECRET,
    GITHUB_TOKEN,
    MARKER,
    PACK,
    PARTNER,
    PASSWORD,
    QUEUE_KEY,
    SHARE,
    SHARING_CODE,
    TOKEN,
    UC,
    Flight,
    flight,
    queue_address,
)
from tests.journeys.canary_process import WORD
from tests.journeys.journey import git

__all__ = ["flight"]


def test_no_secret_gets_out_whatever_is_run_and_whatever_fails(
    flight: Flight, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.NOTSET)
    demo = flight.start("demo")
    flight.save(sales=PACK)
    _look_at_files(flight)
    _plan_and_apply(flight)
    _in_a_pull_request(flight, monkeypatch)
    _give_out_tokens(flight)
    _give_out_keys(flight)
    _tell_who_can_read(flight)
    _refuse_in_the_middle(flight)
    _import(flight)
    _fail_to_read(flight)
    _settings_that_are_wrong(flight)
    _no_settings(flight)
    _processes_of_their_own(flight)
    flight.end(demo)
    assert flight.used == set(COMMANDS), "a command that is not run here may say anything"
    _gather(flight, caplog)
    _check_that_there_was_something_to_find(flight)
    assert flight.heard.where(WORD) == set()
    assert flight.heard.where(QUEUE_KEY) == set()
    for key in flight.keys:
        assert flight.heard.where(key[len("spk_12345678_") :]) == set()
        assert flight.heard.where(key[len("spk_") : len("spk_12345678")]) >= {"output", "tables"}


def _look_at_files(flight: Flight) -> None:
    workbook, empty = str(flight.outputs / "pack.xlsx"), str(flight.outputs / "empty.yaml")
    flight.run("validate")
    flight.run("validate", "--format", "sarif")
    flight.run("convert", "sharepacks/sales.yaml", workbook)
    flight.run("template", empty)
    flight.run("schema")
    flight.run("init", str(flight.outputs / "repository"), "--line", MARKER, "--first-pack", "ann@example.com")
    flight.run("fmt", "--check", "--diff", code=2)
    flight.run("completion", "bash")
    asked = ["--line", MARKER, "--project", MARKER, "--requestor", "ann@example.com", "--reader", MARKER]
    flight.run("new", str(flight.outputs / "new.yaml"), "--yes", *asked, "--d2o", f"{MARKER}=ann@example.com")


def _plan_and_apply(flight: Flight) -> None:
    """The first answer of Databricks quotes a link that works, and is an error."""
    saved = str(flight.outputs / "plan.json")
    flight.run("plan", "--calls", "--full", "--out", saved, "--svg", str(flight.outputs / "plan.svg"))
    flight.run("plan", "--format", "json", "--calls")
    quoting = f"{flight.url}/delta_sharing/retrieve_config.html?{WORD}-quoted"
    flight.control.fault(f"POST {UC}/recipients", status=500, body=f"<p>{quoting}</p>", after_handler=True)
    flight.control.fault(f"POST {UC}/shares", status=500, body={"error_code": "INTERNAL", "message": f"See {quoting}"})
    flight.run("apply", "--plan", saved)
    flight.control.clear_faults()


def _in_a_pull_request(flight: Flight, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host quotes the token it was shown."""
    rights = {"pull-requests": "write", "statuses": "write", "issues": "write", "contents": "read"}
    with standing_in(flight.repository.parent / "github") as github:
        github.user("ada", role="write")
        github._world.tokens[GITHUB_TOKEN] = github._world.tokens[github.workflow_token(rights)]
        monkeypatch.setenv("GITHUB_TOKEN", GITHUB_TOKEN)
        monkeypatch.setenv("GITHUB_API_URL", github.api_url)
        git(flight.repository, "push", "--quiet", "--force", github.clone_url, "HEAD:refs/heads/main")
        github.commit("change", {"sharepacks/sales.yaml": PACK.replace("Q1 sales data", "Q1 sales")}, "Change")
        number = str(github.open_pull("change", "Change", by="ada"))
        git(flight.repository, "fetch", "--quiet", github.clone_url, "change:refs/heads/change")
        proposed = ["--since", "HEAD", "--commit", "change", "--github", github.repository, "--pull", number]
        flight.run("pr", "comment", *proposed, "--out", str(flight.outputs / "proposal"))
        github.fail("/comments", status=422, message=f"{GITHUB_TOKEN} may not", times=10)
        flight.fails("pr", "comment", *proposed)
        github.mend()
        flight.run("apply", "--github", github.repository, "--auto-approve", code=None)
        flight.run("status", "--drift", "--github", github.repository)
        for by, text in github.comments(int(number)):
            flight.heard.say("comments", f"{by}: {text}")


def _give_out_tokens(flight: Flight) -> None:
    flight.run("activation", PARTNER)
    rotate = ["rotate", PARTNER, "--overlap", "0d", "--auto-approve"]
    flight.control.fault(f"POST {UC}/recipients/*/rotate-token", drop_connection=True, after_handler=True)
    flight.run(*rotate, code=None)
    flight.run("activation", PARTNER)
    flight.run(*rotate, code=None)
    flight.run("activation", PARTNER)
    flight.run("history", f"recipient/{PARTNER}")
    flight.run("history", f"recipient/{PARTNER}", "--format", "json")


def _give_out_keys(flight: Flight) -> None:
    """Also into the wrong hands: where a name or an id belongs."""
    flight.run("keys", "create", f"{MARKER}-portal", "--write", "--line", "Sales Operations", "--expires", "90d")
    flight.run("keys", "create", f"{MARKER}-auditor", "--all-lines")
    first, second = flight.keys
    flight.run("keys", "create", first, "--all-lines", code=None)
    flight.run("keys", "create", MARKER, "--line", first, code=None)
    flight.run("keys", "revoke", f"{first}x", code=1)
    flight.run("keys", "revoke", second)
    flight.run("keys", "list")
    flight.run("keys", "list", "--format", "json")
    assert len(flight.keys) == 2


def _tell_who_can_read(flight: Flight) -> None:
    flight.run("access")
    flight.run("access", "--recipient", PARTNER, "--as-of", "1h", "--format", "json")
    flight.run("access", "--object", "prod_catalog.sales.transactions", "--format", "csv")
    flight.run("access", "--out", str(flight.outputs / "access.xlsx"))


def _refuse_in_the_middle(flight: Flight) -> None:
    """A message that quotes a link is a reason, which is recorded and told."""
    flight.save(sales=PACK.replace("Q1 sales data", "Q1 sales data with a change"))
    flight.run("apply", "--auto-approve", "--no-wait")
    queue = QueueClient.from_connection_string(
        queue_address(flight.azurite.port), "sharepack-processing", api_version=API_VERSION
    )
    with queue:
        for message in queue.peek_messages(max_messages=32):
            flight.heard.say("queue", message.content)
    quoting = f"Already at {flight.links[-1]} today"
    flight.control.fault(f"PATCH {UC}/shares/*", status=400, error_code="INVALID_STATE", message=quoting)
    flight.run("worker", "--once")
    flight.run("status")
    flight.control.fault(f"PATCH {UC}/shares/*", drop_connection=True, after_handler=True)
    flight.run("apply", "--auto-approve")
    flight.run("status", "--format", "json")
    flight.run("suspend", "Sales Data Q1 2024", "--until", "2h", "--reason", "an incident")
    flight.run("status")
    flight.run("resume", "Sales Data Q1 2024")


def _import(flight: Flight) -> None:
    flight.sdk.recipients.create("found-partner", AuthenticationType.TOKEN, comment="By hand")
    flight.sdk.recipients.create(
        "found-metastore",
        AuthenticationType.DATABRICKS,
        data_recipient_global_metastore_id="aws:us-west-2:19a84bee-54bc-43a2-87de-023d0ec16016",
        sharing_code=SHARING_CODE,
    )
    flight.sdk.shares.create("found_share")
    flight.sdk.shares.update_permissions("found_share", changes=[PermissionsChange(["SELECT"], "found-partner")])
    flight.run("import", "--all", "--business-line", "Sales Operations", "--requestor", "ann@example.com")
    flight.save()
    flight.run("apply", "--auto-approve")
    flight.run("activation", "found-partner")


def _fail_to_read(flight: Flight) -> None:
    stranger = [PermissionsChange(["SELECT"], "found-partner")]
    flight.sdk.shares.update_permissions(SHARE, changes=stranger)
    flight.run("status", "--drift")
    flight.run("plan", "--calls")
    quoting = f"No good: {flight.links[-1]}"
    for answer in ({"status": 500, "body": quoting}, {"status": 403, "message": quoting}):
        flight.control.fault(f"GET {UC}/recipients*", times=0, **answer)
        flight.run("plan")
        flight.run("status", "--drift")
        flight.fails("activation", PARTNER)
        flight.control.clear_faults()
    flight.control.fault("GET /api/2.0/preview/scim/*", times=0, status=403, message=quoting)
    flight.run("doctor", code=1)
    flight.control.clear_faults()
    flight.control.fault(f"GET {UC}/recipients*", times=0, status=503, message=quoting, retry_after=60)
    flight.fails("activation", PARTNER)
    flight.control.clear_faults()
    flight.control.fault(f"GET {UC}/recipients*", drop_connection=True)
    flight.run("activation", PARTNER)
    flight.fails("history", "share/")
    flight.fails("activation", f"{MARKER}-nobody")
    flight.run("apply", "--auto-approve")


def _settings_that_are_wrong(flight: Flight) -> None:
    """Also secrets in the wrong place."""
    nowhere = "127.0.0.1:1"
    for setting, value in (
        ("domain_db_connection_string", f"postgresql://u:{PASSWORD}@{nowhere}/db"),
        ("domain_db_connection_string", f"mysql://u:{PASSWORD}@{nowhere}/db"),
        ("domain_db_connection_string", f"postgresql://u:{PASSWORD}@#{nowhere}/db"),
        ("azure_queue_connection_string", f"AccountKey={QUEUE_KEY}"),
        ("azure_queue_name", PASSWORD.upper()),
        ("databricks_host", f"https://u:{PASSWORD}@example.com"),
        ("databricks_token", f"{TOKEN}-wrong"),
        ("databricks_in_flight", TOKEN),
        ("databricks_client_secret", CLIENT_SECRET),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(setting, value)
            for debug in (True, False):
                flight.run("status", "--drift", code=None, debug=debug)
            flight.run("doctor", code=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("databricks_host", f"http://{nowhere}")
        flight.run("activation", PARTNER, "--workspace", f"http://{nowhere}", code=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("azure_queue_connection_string", queue_address(1))
        flight.run("apply", "--auto-approve", "--no-wait")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("databricks_token")
        patch.setenv("databricks_client_id", "sandbox-client")
        patch.setenv("databricks_client_secret", CLIENT_SECRET)
        flight.run("plan")
        patch.setenv("databricks_client_secret", f"{CLIENT_SECRET}-wrong")
        flight.run("plan", code=None)


def _no_settings(flight: Flight) -> None:
    """The embedded database, and PostgreSQL as the queue."""
    flight.save(sales=PACK.replace("Q1 sales data", "Q1 sales data again"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("domain_db_connection_string")
        patch.delenv("azure_queue_connection_string")
        flight.run("apply", "--auto-approve", "--no-wait")
        flight.run("worker", "--once")


def _processes_of_their_own(flight: Flight) -> None:
    """What runs until it is told to stop; and one that finds its settings as a person's shell would give them."""
    for arguments in (["sandbox"], ["worker"]):
        process = flight.start(*arguments)
        assert process.stdout is not None
        assert process.stderr is not None
        said = (process.stdout if arguments == ["sandbox"] else process.stderr).readline()
        while "Ctrl-C" not in said:
            assert process.poll() is None
            said += (process.stdout if arguments == ["sandbox"] else process.stderr).readline()
        flight.heard.say("output", said)
        process.send_signal(signal.SIGTERM)
        flight.end(process)
    _daemon(flight)
    _serve(flight)
    flight.end(flight.start("plan", "--calls"))
    flight.end(
        flight.start("--debug", "plan", domain_db_connection_string=f"postgresql://u:{PASSWORD}@127.0.0.1:1/d"), code=1
    )


def _daemon(flight: Flight) -> None:
    """It wants to put something back, and is refused with an answer that quotes a link."""
    flight.sdk.shares.update(SHARE, comment="by hand")
    flight.control.fault(
        f"PATCH {UC}/shares/*", times=0, status=400, error_code="INVALID_STATE", message=flight.links[-1]
    )
    process = flight.start("daemon", "--health-port", "0", log_format="json", drift_interval_seconds="10")
    assert process.stderr is not None
    said = ""
    while "work ended" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    flight.heard.say("output", said)
    process.send_signal(signal.SIGTERM)
    flight.end(process)
    flight.control.clear_faults()


def _serve(flight: Flight) -> None:
    """What is handed in is refused by Databricks with an answer that quotes a link, and a key is tried that is none."""
    flight.control.fault(
        f"PATCH {UC}/shares/*", times=0, status=400, error_code="INVALID_STATE", message=flight.links[-1]
    )
    process = flight.start("serve", "--port", "0", log_format="json", api_anonymous="write")
    assert process.stderr is not None
    said = ""
    while (address := re.search(r"The API is at (http://[0-9.:]+)", said)) is None:
        line = process.stderr.readline()
        assert line, said
        said += line
    url, workspace = f"{address[1]}/workflow", {"X-Workspace-URL": flight.url}
    changed = PACK.replace("Q1 sales data", "Q1 sales data over HTTP").encode()
    for content in (changed, b"share: [", PACK.replace(SHARE, "").encode()):
        answer = requests.post(
            f"{url}/sharepack/upload", headers=workspace, files={"file": ("a.yaml", content)}, timeout=60
        )
        flight.heard.say("output", answer.text)
    wrong = {"Authorization": f"Bearer spk_abcdefgh_{WORD.ljust(43, 'x')}"}
    for path, headers in (("/sharepacks", {}), ("/access", {}), ("/health", {}), ("/sharepacks", wrong)):
        flight.heard.say("output", requests.get(url + path, headers={**workspace, **headers}, timeout=60).text)
    while "work ended" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    flight.heard.say("output", said)
    process.send_signal(signal.SIGTERM)
    flight.end(process)
    flight.control.clear_faults()


def _gather(flight: Flight, caplog: pytest.LogCaptureFixture) -> None:
    heard = flight.heard
    for record in caplog.records:
        heard.say("logs", f"{record.name} {record.getMessage()} {record.args!r} {record.exc_text or ''}")
        if record.exc_info and record.exc_info[1] is not None:
            heard.say_failure("logs", record.exc_info[1])
    asyncio.run(heard.say_tables("tables", flight.dsn))
    asyncio.run(_checkpoint(flight.dsn))
    heard.say_folder("state folder", flight.repository / ".sharepack")
    heard.say("log of PostgreSQL", (flight.repository / ".sharepack" / "postgres.log").read_bytes())
    for each in flight.repository.iterdir():
        if each.name != ".sharepack":
            heard.say_folder("repository", each) if each.is_dir() else heard.say("repository", each.read_bytes())
    heard.say_folder("written files", flight.outputs)
    heard.say_folder("queue server", flight.azurite.directory)


async def _checkpoint(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _check_that_there_was_something_to_find(flight: Flight) -> None:
    """The search sees every place, and the secrets it looks for are the ones that were in use."""
    assert len(set(flight.links)) >= 3
    assert all(WORD in link for link in flight.links)
    asked = flight.sdk.recipients.get(PARTNER).as_dict()
    assert WORD in json.dumps(asked)
    places = flight.heard.places()
    assert flight.heard.where(MARKER) == places - {"queue", "queue server"}
    assert flight.heard.where("work_id") >= {"queue", "queue server"}
    assert flight.heard.where("[link removed]") >= {"output", "tables"}
    written = {path.name for path in flight.outputs.iterdir()}
    assert written == {
        "access.xlsx",
        "empty.yaml",
        "new.yaml",
        "pack.xlsx",
        "plan.json",
        "plan.svg",
        "proposal",
        "repository",
    }
