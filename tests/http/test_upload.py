"""Handing in packs over HTTP: the guide's answers, what is written where, and what is turned away."""

from reconciler.core.permits import Right
from tests.http.api import UPLOAD, Api
from tests.journeys.journey import git
from tests.journeys.packs import SALES


async def test_a_pack_is_committed_and_provisioned(working_api: Api) -> None:
    await working_api.let_in()
    answer = await working_api.upload(SALES)
    assert answer.status == 202, answer.text
    body = answer.json
    assert list(body) == [
        "Message",
        "SharePackId",
        "SharePackName",
        "Status",
        "ValidationErrors",
        "ValidationWarnings",
    ]
    assert body["Message"] == "Share pack uploaded successfully and queued for provisioning"
    assert (body["Status"], body["ValidationErrors"]) == ("IN_PROGRESS", [])
    status = await working_api.ended(body["SharePackId"])
    assert status["Status"] == "COMPLETED", status
    assert list(status) == [
        "SharePackId",
        "SharePackName",
        "Status",
        "Strategy",
        "ProvisioningStatus",
        "ErrorMessage",
        "RequestedBy",
        "CreatedAt",
        "LastUpdated",
    ]
    assert (status["RequestedBy"], status["ErrorMessage"]) == ("john.doe@jll.com", "")
    repository = working_api.journey.repository
    (path,) = [each for each in git(repository, "ls-tree", "-r", "--name-only", "HEAD").splitlines() if "yaml" in each]
    assert git(repository, "show", f"HEAD:{path}") == SALES.strip()


async def test_a_dry_run_gives_the_plan_and_writes_nothing(api: Api) -> None:
    await api.let_in()
    before = git(api.journey.repository, "rev-parse", "HEAD")
    answer = await api.upload(SALES, path=f"{UPLOAD}?dry_run=true")
    assert answer.status == 200, answer.text
    assert answer.json["format"] == "sharepack-plan"
    assert [step["key"] for step in answer.json["packs"][0]["steps"]]
    assert git(api.journey.repository, "rev-parse", "HEAD") == before
    assert (await api.journey.rows("SELECT count(*) FROM deltashare.share_packs"))[0][0] == 0
    assert api.journey.writes() == []


async def test_every_problem_is_told_and_nothing_is_committed(api: Api) -> None:
    await api.let_in()
    before = git(api.journey.repository, "rev-parse", "HEAD")
    broken = SALES.replace("D2O", "D3O").replace("      - sales-analyst", "      - nobody-of-that-name")
    answer = await api.upload(broken, name="mine.yaml")
    assert answer.status == 400, answer.text
    body = answer.json
    assert body["Status"] == "VALIDATION_FAILED"
    assert len(body["ValidationErrors"]) >= 2
    for each in body["ValidationErrors"]:
        assert list(each) == ["File", "Line", "Column", "Sheet", "Cell", "Rule", "Message", "Hint", "Text"]
        assert each["File"] == "mine.yaml"
        assert each["Line"] > 0
    assert git(api.journey.repository, "rev-parse", "HEAD") == before
    status = (await api.ask(f"/workflow/sharepack/{body['SharePackId']}")).json
    assert (status["Status"], bool(status["ErrorMessage"])) == ("VALIDATION_FAILED", True)


async def test_another_workspace_is_refused(api: Api) -> None:
    await api.let_in()
    answer = await api.upload(SALES, workspace="https://adb-1.1.azuredatabricks.net")
    assert (answer.status, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json["type"] == "urn:sharepack:problem:wrong-workspace"


async def test_a_key_that_may_only_read_hands_in_nothing(api: Api) -> None:
    await api.let_in(right=Right.READ)
    answer = await api.upload(SALES)
    assert (answer.status, answer.json["type"]) == (403, "urn:sharepack:problem:read-only")


async def test_a_key_of_another_line_hands_in_nothing(api: Api) -> None:
    await api.let_in("Marketing")
    answer = await api.upload(SALES)
    assert (answer.status, answer.json["type"]) == (403, "urn:sharepack:problem:not-permitted")
    assert api.journey.writes() == []


async def test_the_same_file_again_is_the_same_pack_and_no_new_commit(api: Api) -> None:
    await api.let_in()
    first = (await api.upload(SALES)).json
    commit = git(api.journey.repository, "rev-parse", "HEAD")
    again = await api.upload(SALES)
    assert (again.status, again.json["SharePackId"]) == (202, first["SharePackId"])
    assert git(api.journey.repository, "rev-parse", "HEAD") == commit
