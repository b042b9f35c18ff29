"""A pack that is handed in: it comes into Git, into the record and into the workspace, once and whole, or it is told
why not and nothing was written."""

from typing import Any

import pytest

from reconciler.packs.parsing import ParsedFile, parse_file
from reconciler.ports.inbox import UploadStatus
from reconciler.render.plan_json import plan_document
from reconciler.stages.receive import Accepted, Reason, Rejected, TurnedAway
from tests.journeys.hands import Hands, hands, lines
from tests.journeys.journey import Journey, git
from tests.journeys.packs import FINANCE, SALES
from tests.journeys.test_daemon import shared
from tests.packs.workbooks import written

PATH = "sharepacks/sales-operations/sales-data-q1-2024.yaml"
MORE = SALES.replace(
    "      - prod_catalog.sales.customers\n",
    "      - prod_catalog.sales.customers\n      - prod_catalog.sales.refunds\n",
)
LESS = SALES.replace("      - prod_catalog.sales.customers\n", "")
PACK = "Sales Operations / Sales Data Q1 2024"
SHEETS: dict[str, list[list[Any]]] = {
    "Metadata": [
        ["Field", "Value"],
        ["requestor", "john.doe@jll.com"],
        ["project_name", "Sales Data Q1 2024"],
        ["business_line", "Sales Operations"],
    ],
    "Recipients": [
        ["name", "type", "email", "metastore_id", "allowed_ips", "comment"],
        ["sales-analyst", "D2O", "analyst@partner.com", None, "192.168.1.0/24", None],
    ],
    "Shares": [
        ["name", "comment", "recipients", "data_objects"],
        ["sales_q1_share", "Q1 sales data", "sales-analyst", "prod_catalog.sales.transactions"],
    ],
}


@pytest.fixture
def somebody(journey: Journey) -> Hands:
    journey.commit("An empty folder of packs")
    return hands(journey)


async def test_a_new_pack_is_one_commit_by_its_requestor_and_is_carried_out(somebody: Hands, sdk: Any) -> None:
    answer = await somebody.accepted(SALES, finishes=False)
    assert (answer.is_new, answer.warnings) == (True, ())
    assert await somebody.states() == [(PACK, "IN_PROGRESS")]
    assert somebody.files() == ["sharepacks/README.md", PATH]
    assert somebody.content(PATH) == SALES.strip()
    assert somebody.log() == [f"Share pack {PACK}"]
    who, told = git(somebody.origin, "log", "-1", "--format=%an <%ae>%n%b", "main").split("\n", 1)
    assert who == "john.doe <john.doe@jll.com>"
    assert told.split("\n\n") == ["Handed in over HTTP by key portal (a1b2c3d4).", f"Upload-Id: {answer.upload.id}"]
    assert (await somebody.upload(answer)).status is UploadStatus.COMMITTED
    assert await somebody.receiving.finish(answer.upload)
    await somebody.work()
    assert await somebody.states() == [(PACK, "COMPLETED")]
    assert (await somebody.upload(answer)).status is UploadStatus.SUBMITTED
    assert shared(sdk) == {"transactions", "customers"}
    ids = await somebody.journey.rows("SELECT share_pack_id FROM deltashare.share_packs WHERE is_current")
    assert answer.entered is not None
    assert [row[0] for row in ids] == [answer.entered.share_pack_id]


async def test_the_same_file_again_is_the_same_upload_at_every_stage_of_it(somebody: Hands) -> None:
    first = await somebody.accepted(SALES, finishes=False)
    second = await somebody.accepted(SALES, "again.yaml")
    third = await somebody.accepted(SALES)
    assert {first.upload.id, second.upload.id, third.upload.id} == {first.upload.id}
    assert first.entered == second.entered == third.entered
    assert [each.is_new for each in (first, second, third)] == [True, False, False]
    assert len(somebody.log()) == 1
    assert await somebody.states() == [(PACK, "COMPLETED")]


async def test_a_changed_file_is_an_update_in_place_wherever_that_is(somebody: Hands, sdk: Any) -> None:
    first = await somebody.accepted(SALES)
    git(somebody.origin, "mv", PATH, "sharepacks/elsewhere.yml")
    somebody.journey.commit("Move it")
    second = await somebody.accepted(MORE)
    assert somebody.files() == ["sharepacks/README.md", "sharepacks/elsewhere.yml"]
    assert somebody.content("sharepacks/elsewhere.yml") == MORE.strip()
    assert first.entered == second.entered
    assert first.upload.id != second.upload.id
    assert shared(sdk) == {"transactions", "customers", "refunds"}
    assert await somebody.states() == [(PACK, "COMPLETED")]


async def test_the_same_file_again_after_somebody_moved_it_stays_where_it_is(somebody: Hands) -> None:
    await somebody.accepted(SALES)
    git(somebody.origin, "mv", PATH, "sharepacks/elsewhere.yaml")
    somebody.journey.commit("Move it")
    await somebody.accepted(SALES)
    assert somebody.files() == ["sharepacks/README.md", "sharepacks/elsewhere.yaml"]


async def test_a_file_another_one_and_the_first_again_are_three_commits(somebody: Hands, sdk: Any) -> None:
    given = [await somebody.accepted(content) for content in (SALES, MORE, SALES)]
    assert len({each.upload.id for each in given}) == 3
    assert len(somebody.log()) == 3
    assert shared(sdk) == {"transactions", "customers"}
    assert [(await somebody.upload(each)).status for each in given] == [UploadStatus.SUBMITTED] * 3


@pytest.mark.parametrize("is_finished", [True, False])
async def test_what_was_changed_by_hand_meanwhile_is_committed_again(
    somebody: Hands, is_finished: bool, sdk: Any
) -> None:
    await somebody.accepted(SALES, finishes=is_finished)
    somebody.journey.save(PATH.removeprefix("sharepacks/"), MORE)
    again = await somebody.accepted(SALES)
    assert len(somebody.log()) == 3
    assert somebody.content(PATH) == SALES.strip()
    assert again.upload.commit == git(somebody.origin, "rev-parse", "main")
    assert shared(sdk) == {"transactions", "customers"}


async def test_a_workbook_takes_the_place_of_a_file_in_one_commit(somebody: Hands, sdk: Any) -> None:
    await somebody.accepted(SALES)
    answer = await somebody.accepted(written(SHEETS), "sales.xlsx")
    assert answer.is_new
    assert somebody.files() == ["sharepacks/README.md", PATH.replace(".yaml", ".xlsx")]
    assert len(somebody.log()) == 2
    assert shared(sdk) == {"transactions"}
    assert await somebody.states() == [(PACK, "COMPLETED")]


async def test_a_file_with_problems_is_told_all_of_them_and_nothing_else_happens(somebody: Hands) -> None:
    await somebody.accepted(SALES)
    before, refs = await somebody.counts(), somebody.refs()
    bad = MORE.replace("type: D2O", "type: D2X").replace("john.doe@jll.com", "john")
    answer = await somebody.rejected(bad, "my own name.yaml")
    errors = [each for each in answer.problems if each.is_error]
    assert len(errors) >= 2
    assert {each.where.path for each in errors} == {"my own name.yaml"}
    assert all(each.where.line for each in errors)
    assert (somebody.refs(), await somebody.states()) == (refs, [(PACK, "COMPLETED")])
    after = await somebody.counts()
    assert {name for name in after if after[name] != before[name]} == {"reconciler.uploads", "deltashare.audit_trail"}
    upload = await somebody.upload(answer)
    assert upload.status is UploadStatus.REJECTED
    assert upload.caller == "key portal (a1b2c3d4)"
    assert all(each.message in upload.reason for each in errors)


CLASH = FINANCE.replace("finance_q1_share", "sales_q1_share")


async def test_a_clash_with_another_pack_is_told(somebody: Hands) -> None:
    await somebody.accepted(SALES)
    answer = await somebody.rejected(CLASH, "mine.yaml")
    (problem,) = [each for each in answer.problems if each.is_error]
    assert problem.rule == "resource-duplicate"
    assert (problem.where.path, CLASH.splitlines()[problem.where.line - 1]) == ("mine.yaml", "  - name: sales_q1_share")
    assert PATH in problem.message
    assert problem.also is not None
    assert problem.also.path == PATH
    assert len(somebody.log()) == 1


async def test_a_clash_with_a_pack_of_another_line_tells_nothing_of_that(somebody: Hands) -> None:
    """Names are taken for all; where and by whom is not everybody's business."""
    await somebody.accepted(SALES)
    answer = await somebody.rejected(CLASH, "mine.yaml", caller=lines("Corporate Finance"))
    (problem,) = [each for each in answer.problems if each.is_error]
    assert (problem.where.path, problem.also) == ("mine.yaml", None)
    assert "sales-" not in str(problem)
    assert "another business line" in problem.message


async def test_a_pack_that_breaks_another_one_is_rejected(somebody: Hands) -> None:
    """The other one shares with a recipient of this one."""
    await somebody.accepted(SALES)
    other = SALES.replace("Q1", "Q2").replace("q1", "q2")
    await somebody.accepted("".join([other[: other.index("recipient:")], other[other.index("share:") :]]))
    assert len(somebody.log()) == 2
    without = SALES.replace("sales-analyst", "somebody-else")
    answer = await somebody.rejected(without)
    assert any(each.is_error and "sales-analyst" in each.message for each in answer.problems)
    assert len(somebody.log()) == 2


async def test_the_workspace_must_be_that_of_the_line(somebody: Hands) -> None:
    answer = await somebody.hand_in(SALES, workspace="https://adb-1.azuredatabricks.net")
    assert isinstance(answer, TurnedAway)
    assert answer.reason is Reason.WRONG_WORKSPACE
    assert somebody.journey.url in answer.message
    assert isinstance(await somebody.hand_in(SALES, workspace=f"{somebody.journey.url.upper()}/"), Accepted)


async def test_who_may_not_write_a_line_is_not_told_what_there_is(somebody: Hands) -> None:
    other = lines("Corporate Finance")
    absent = await somebody.hand_in(SALES, caller=other)
    await somebody.accepted(SALES)
    before = await somebody.counts()
    there = [await somebody.hand_in(content, caller=other) for content in (SALES, MORE, SALES + "\nnonsense: 1\n")]
    assert [absent] * 3 == there
    assert isinstance(absent, TurnedAway)
    assert absent.reason is Reason.NOT_PERMITTED
    # That they tried is on record, and nothing else.
    noted = {"reconciler.uploads": 3, "deltashare.audit_trail": 3}
    assert await somebody.counts() == {name: count + noted.get(name, 0) for name, count in before.items()}
    rows = await somebody.journey.rows(
        "SELECT caller, status, content FROM reconciler.uploads WHERE reason LIKE 'you may%'"
    )
    assert {(row["caller"], row["status"], row["content"]) for row in rows} == {(other.name, "rejected", None)}
    assert len(rows) == 4


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 4
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + bytes(200)
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.jpg", JPEG),
        ("photo.yaml", JPEG),
        ("empty.yaml", b""),
        ("empty.xlsx", b""),
        ("setup.xlsx", EXE),
        ("zip.xlsx", EMPTY_ZIP),
        ("zip.yaml", EMPTY_ZIP),
        ("cut.xlsx", b"PK\x03\x04"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        ("list.yaml", b"- 1\n"),
        ("bare.yaml", b"metadata:\n"),
        ("long.yaml", b"metadata:\n  business_line: " + b"x" * 100_000 + b"\n  project_name: y\n"),
        ("nul.yaml", b'metadata:\n  business_line: "a\\0b"\n  project_name: y\n'),
        ("latin.yaml", "metadata:\n  business_line: Café\n".encode("latin-1")),
    ],
)
async def test_what_is_no_pack_is_told_so_under_its_name(somebody: Hands, name: str, content: bytes) -> None:
    refs = somebody.refs()
    answer = await somebody.rejected(content, name)
    errors = [each for each in answer.problems if each.is_error]
    assert errors
    assert {each.where.path for each in errors} == {name}
    assert somebody.refs() == refs
    assert (await somebody.upload(answer)).status is UploadStatus.REJECTED


async def test_what_is_neither_text_nor_a_workbook_is_called_that(somebody: Hands) -> None:
    said = [(await somebody.rejected(content, name)).problems[0] for name, content in NEITHER]
    assert {each.rule for each in said} == {"not-a-pack"}
    assert {each.message for each in said} == {"the file is neither YAML text nor an Excel workbook"}


NEITHER = (("photo.jpg", JPEG), ("photo.yaml", JPEG), ("setup.exe", EXE), ("setup.xlsx", EXE))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../../etc/passwd.yaml", "passwd.yaml"),
        ("C:\\x.yaml", "x.yaml"),
        ("a\0b\r\n\u202ec.yml", "abc.yml"),
        ("x" * 300 + ".yaml", "x" * 94 + "….yaml"),
        ("...", "pack"),
        ("..", "pack"),
        ("", "pack"),
        ("\ud800.yaml", ".yaml"),
        ("without ending", "without ending"),
        (".git/config", "config"),
    ],
)
async def test_a_name_never_leads_anywhere(somebody: Hands, name: str, told: str) -> None:
    answer = await somebody.rejected(SALES.replace("D2O", "D2X"), name)
    assert {each.where.path for each in answer.problems} == {told}
    accepted = await somebody.hand_in(SALES, name)
    assert isinstance(accepted, Accepted)
    assert accepted.upload.path == PATH
    assert somebody.files() == ["sharepacks/README.md", PATH]


@pytest.mark.parametrize("project", ["tenants", "../../x", ".git", "~$lock", "CON", "日本", "a" * 90])
async def test_the_project_s_name_never_leads_out_of_the_line_s_folder(somebody: Hands, project: str) -> None:
    await somebody.accepted(SALES.replace("Sales Data Q1 2024", project), finishes=False)
    _, path = somebody.files()
    assert path.startswith("sharepacks/sales-operations/")
    assert path.count("/") == 2


async def test_a_workbook_called_yaml_and_text_called_xlsx_are_what_they_are(somebody: Hands) -> None:
    await somebody.accepted(written(SHEETS), "sales.yaml", finishes=False)
    assert somebody.files()[1] == PATH.replace(".yaml", ".xlsx")
    await somebody.accepted(SALES, "sales.xlsx", finishes=False)
    assert somebody.files()[1:] == [PATH]


async def test_what_is_too_large_is_not_looked_at(journey: Journey) -> None:
    journey.commit()
    somebody = hands(journey, most_bytes=100)
    answer = await somebody.hand_in(SALES)
    assert isinstance(answer, TurnedAway)
    assert answer.reason is Reason.TOO_LARGE
    assert await somebody.portal.inbox.unfinished(0) == []


async def test_a_dry_run_writes_nothing_and_tells_what_will_be(somebody: Hands, journey: Journey) -> None:
    for content in (SALES, MORE, LESS):
        before, refs = await somebody.counts(), somebody.refs()
        journey.control.clear_log()
        dry = await somebody.dry_run(content)
        assert (await somebody.counts(), somebody.refs(), journey.writes()) == (before, refs, [])
        answer = await somebody.accepted(content, finishes=False)
        desired = await somebody.receiving._examiner.desired_since(answer.upload.commit)
        after = await journey._plan(desired, [answer.upload.pack])
        assert not isinstance(dry, Rejected | TurnedAway)
        assert dry.packs[0].is_work
        assert told(dry) == told(after)
        assert [each.fingerprint for each in dry.packs] == [each.fingerprint for each in after.packs]
        assert await somebody.receiving.finish(answer.upload)
        await somebody.work()


def told(plan: Any) -> Any:
    """But for where it was read: the commit is not there yet."""
    document: Any = plan_document(plan)
    return document["packs"]


async def test_a_dry_run_tells_the_problems(somebody: Hands) -> None:
    before = await somebody.counts()
    answer = await somebody.dry_run(SALES.replace("D2O", "D2X"))
    assert isinstance(answer, Rejected)
    assert await somebody.counts() == before


async def test_only_what_changed_is_parsed(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        journey.write(f"more/p{number}.yaml", _numbered(number))
    journey.commit("Many packs")
    parsed: list[str] = []

    def counted(path: str, data: bytes) -> ParsedFile:
        parsed.append(path)
        return parse_file(path, data)

    monkeypatch.setattr("reconciler.packs.remembering.parse_file", counted)
    somebody = hands(journey)
    first = await somebody.accepted(_numbered(300), finishes=False)
    assert len(parsed) == 301
    assert await somebody.receiving.finish(first.upload)
    await somebody.accepted(_numbered(300).replace("O300", "O301"), finishes=False)
    assert len(parsed) == 302


def _numbered(number: int) -> str:
    return (
        f"metadata: {{requestor: ann@example.com, project_name: P{number}, business_line: Sales}}\n"
        f"recipient:\n  - {{name: r{number}, type: D2O, email: a@partner.example}}\n"
        f"share:\n  - {{name: s{number}, comment: O{number}, recipients: [r{number}], data_objects: [main.a.t]}}\n"
    )


async def test_what_cannot_be_read_at_databricks_leaves_it_to_the_sweep(somebody: Hands, journey: Journey) -> None:
    answer = await somebody.accepted(SALES, finishes=False)
    refusal = {"error_code": "PERMISSION_DENIED", "message": "not yet"}
    journey.control.fault("GET /api/2.1/unity-catalog/shares/*", status=403, body=refusal)
    assert not await somebody.receiving.finish(answer.upload)
    assert (await somebody.upload(answer)).status is UploadStatus.COMMITTED
    assert await somebody.states() == [(PACK, "IN_PROGRESS")]
    await somebody.work()
    journey.control.clear_faults()
    assert (await somebody.receiving.sweep(0)).done == 1
    await somebody.work()
    assert await somebody.states() == [(PACK, "COMPLETED")]
