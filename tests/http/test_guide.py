"""The guide's calls as they are printed there, against a running server. Only the address of server and workspace,
which the guide leaves open (`localhost:8000`, `adb-xxx`), are those of the test."""

import asyncio
import json
import os
import time
from pathlib import Path
from uuid import UUID

import pytest

from tests.http.api import Api, served
from tests.journeys.journey import Journey, git
from tests.journeys.packs import SALES

UPLOAD = """\
curl -X POST "http://localhost:8000/workflow/sharepack/upload" \\
  -H "X-Workspace-URL: https://adb-xxx.azuredatabricks.net" \\
  -F "file=@sharepack.yaml"
"""
STATUS = """\
curl -X GET "http://localhost:8000/workflow/sharepack/550e8400-e29b-41d4-a716-446655440000" \\
  -H "X-Workspace-URL: https://adb-xxx.azuredatabricks.net"
"""
HEALTH = """\
curl -X GET "http://localhost:8000/workflow/health" \\
  -H "X-Workspace-URL: https://adb-xxx.azuredatabricks.net"
"""
CLIENT = """\
import requests
import time

# Upload share pack
url = "http://localhost:8000/workflow/sharepack/upload"
headers = {"X-Workspace-URL": "https://adb-xxx.azuredatabricks.net"}
files = {"file": open("sharepack.yaml", "rb")}

response = requests.post(url, headers=headers, files=files)
result = response.json()

share_pack_id = result["SharePackId"]
print(f"Share pack uploaded: {share_pack_id}")
print(f"Status: {result['Status']}")

# Poll for completion
status_url = f"http://localhost:8000/workflow/sharepack/{share_pack_id}"

while True:
    response = requests.get(status_url, headers=headers)
    status = response.json()

    print(f"Current status: {status['Status']}")
    print(f"Provisioning: {status['ProvisioningStatus']}")

    if status["Status"] in ["COMPLETED", "FAILED", "VALIDATION_FAILED"]:
        break

    time.sleep(5)  # Poll every 5 seconds

if status["Status"] == "COMPLETED":
    print("✅ Share pack provisioned successfully!")
else:
    print(f"❌ Failed: {status['ErrorMessage']}")
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "somebody's machine"
    folder.mkdir()
    (folder / "sharepack.yaml").write_text(SALES)
    monkeypatch.chdir(folder)
    return folder


def at(text: str, api: Api) -> str:
    moved = text.replace("http://localhost:8000", api.url)
    return moved.replace("https://adb-xxx.azuredatabricks.net", api.journey.url)


async def curl(command: str) -> dict[str, object]:
    process = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={**os.environ, "NO_PROXY": "*"}
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    answer: dict[str, object] = json.loads(out)
    return answer


async def test_the_curl_calls(journey: Journey, elsewhere: Path) -> None:
    journey.commit("Nothing")
    async with served(journey, works=True, api_anonymous="write") as api:
        uploaded = await curl(at(UPLOAD, api))
        share_pack_id = str(UUID(str(uploaded["SharePackId"])))
        assert uploaded == {
            "Message": "Share pack uploaded successfully and queued for provisioning",
            "SharePackId": share_pack_id,
            "SharePackName": uploaded["SharePackName"],
            "Status": "IN_PROGRESS",
            "ValidationErrors": [],
            "ValidationWarnings": [],
        }
        assert str(uploaded["SharePackName"]).startswith("SharePack_john.doe@jll.com_")
        await api.ended(share_pack_id)
        status = await curl(at(STATUS, api).replace("550e8400-e29b-41d4-a716-446655440000", share_pack_id))
        assert status == {
            "SharePackId": share_pack_id,
            "SharePackName": uploaded["SharePackName"],
            "Status": "COMPLETED",
            "Strategy": "NEW",
            "ProvisioningStatus": "All resources provisioned successfully",
            "ErrorMessage": "",
            "RequestedBy": "john.doe@jll.com",
            "CreatedAt": status["CreatedAt"],
            "LastUpdated": status["LastUpdated"],
        }
        assert str(status["CreatedAt"]).endswith("Z")
        assert await curl(at(HEALTH, api)) == {
            "Message": "Workflow system healthy",
            "DatabaseConnected": True,
            "QueueConnected": True,
            "TablesCount": 16,
        }


async def test_the_python_client(
    journey: Journey, elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    journey.commit("Nothing")
    sleep = time.sleep
    monkeypatch.setenv("NO_PROXY", "*")
    async with served(journey, works=True, api_anonymous="write") as api:
        program = compile(at(CLIENT, api), "client.py", "exec")
        with monkeypatch.context() as patched:
            patched.setattr(time, "sleep", lambda seconds: sleep(seconds / 50))
            names: dict[str, object] = {}
            await asyncio.to_thread(exec, program, names)
            names["files"]["file"].close()  # type: ignore[index]
        told = capsys.readouterr().out
        assert "Status: IN_PROGRESS\n" in told
        assert "Current status: COMPLETED\nProvisioning: All resources provisioned successfully\n" in told
        assert told.endswith("✅ Share pack provisioned successfully!\n")
        assert not any(step.is_work for step in (await journey.plan()).steps)
        assert "sales-operations" in git(journey.repository, "ls-tree", "-r", "--name-only", "HEAD")
        assert git(journey.repository, "log", "-1", "--format=%an <%ae>") == "john.doe <john.doe@jll.com>"


async def test_disabled_it_says_what_to_set(journey: Journey) -> None:
    async with served(journey, enable_workflow=False) as api:
        for path in ("/workflow/health", "/workflow/sharepacks", "/workflow/anything", "/workflow"):
            answer = await api.ask(path)
            assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
            assert "Workflow system disabled" in answer.json["detail"]
            assert "enable_workflow=true" in answer.json["detail"]
        assert (await api.upload(SALES)).status == 503
        assert (await api.ask("/docs")).status == 200


async def test_an_unhealthy_system_says_so_and_nothing_more(journey: Journey) -> None:
    async with served(journey) as api:
        await journey.doorbell.close()
        answer = await api.ask("/workflow/health")
        assert (answer.status, answer.json) == (
            503,
            {
                "Message": "Workflow system unhealthy",
                "DatabaseConnected": True,
                "QueueConnected": False,
                "TablesCount": 16,
            },
        )
