"""What the actions of others do, as far as it matters here; any other action, and any other input, is an error.

Each gives the outputs of its step, or raises: StepFailedError as the action itself would fail, JobError for what a
workflow must not ask."""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.workflows.machine import JobError, Machine
from tests.workflows.sarif_upload import check_sarif


class StepFailedError(Exception):
    """The action fails, and with it the step."""


@dataclass(frozen=True, slots=True)
class Around:
    """What an action has besides its inputs."""

    machine: Machine
    permissions: Mapping[str, str]
    clone_url: str
    ref: str
    sha: str
    #: Subject of the ID tokens of this job; empty without `id-token: write`.
    subject: str
    #: Client id → subject it is federated with, and where its secrets are (`machine` has an `az` that reads them).
    identities: Mapping[str, str]
    #: Of this run; others do not see them.
    artefacts: Path


def use(name: str, inputs: Mapping[str, str], around: Around) -> Mapping[str, str]:
    action, at, version = name.partition("@")
    if not at or not re.fullmatch(r"[0-9a-f]{40}", version):
        raise JobError(f"{name} is not pinned by a commit")
    if action not in _ACTIONS:
        raise JobError(f"the action {action} is not known here")
    allowed, run = _ACTIONS[action]
    if unknown := inputs.keys() - allowed:
        raise JobError(f"{action}: the inputs {sorted(unknown)} are not known here")
    return run(inputs, around)


def _checkout(inputs: Mapping[str, str], around: Around) -> Mapping[str, str]:
    if around.permissions.get("contents") not in {"read", "write"}:
        raise StepFailedError("the token may not read the repository")
    if inputs.get("persist-credentials") != "false":
        raise JobError("the token must not stay behind in .git/config")
    place = around.machine.workspace
    branch, depth = inputs.get("ref", ""), inputs.get("fetch-depth", "1")
    _git(place, "init", "--quiet", "--initial-branch=unborn")
    _git(place, "remote", "add", "origin", around.clone_url)
    wanted = f"+refs/heads/{branch}:refs/remotes/origin/{branch}" if branch else _wanted(around)
    if depth == "0":
        _git(place, "fetch", "--quiet", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    limit = [] if depth == "0" else [f"--depth={depth}"]
    _git(place, "fetch", "--quiet", "--no-tags", *limit, "origin", wanted)
    local = branch or around.ref.removeprefix("refs/heads/")
    if around.ref.startswith("refs/pull/") and not branch:
        _git(place, "checkout", "--quiet", "--detach", around.sha)
    else:
        _git(place, "checkout", "--quiet", "-B", local, f"refs/remotes/origin/{local}" if branch else around.sha)
    return {"commit": _git(place, "rev-parse", "HEAD")}


def _wanted(around: Around) -> str:
    kind = around.ref.removeprefix("refs/").replace("heads/", "origin/", 1)
    return f"+{around.sha}:refs/remotes/{kind}"


def _git(place: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=place, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise StepFailedError(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()


def _setup_python(inputs: Mapping[str, str], around: Around) -> Mapping[str, str]:
    if not re.fullmatch(r"3\.1[1-3]", inputs["python-version"]):
        raise JobError(f"a Python that is not supported: {inputs['python-version']}")
    if inputs.get("cache") == "pip" and not (around.machine.workspace / inputs["cache-dependency-path"]).is_file():
        raise StepFailedError("No file in the workspace matched to the cache-dependency-path")
    around.machine.install_python()
    return {"python-version": f"{inputs['python-version']}.0"}


def _azure_login(inputs: Mapping[str, str], around: Around) -> Mapping[str, str]:
    if not around.subject:
        raise StepFailedError("Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable")
    if not inputs.get("tenant-id") or inputs.get("allow-no-subscriptions") != "true":
        raise StepFailedError("Ensure 'subscription-id' is supplied or 'allow-no-subscriptions' is 'true'.")
    if around.identities.get(inputs.get("client-id", "")) != around.subject:
        raise StepFailedError(f"AADSTS70021: No matching federated identity record found for {around.subject}")
    signed_in = around.machine.home / ".azure"
    signed_in.mkdir()
    (signed_in / "client").write_text(inputs["client-id"], encoding="utf-8")
    return {}


def _upload_artifact(inputs: Mapping[str, str], around: Around) -> Mapping[str, str]:
    source, target = around.machine.workspace / inputs["path"], around.artefacts / inputs["name"]
    if not 1 <= int(inputs["retention-days"]) <= 90:
        raise JobError("GitHub keeps nothing that long")
    if not source.exists():
        if inputs["if-no-files-found"] == "error":
            raise StepFailedError(f"No files were found with the provided path: {source}")
        return {}
    if target.exists():
        raise StepFailedError("an artifact with this name already exists on the workflow run")
    target.mkdir(parents=True)
    for each in sorted(source.iterdir()) if source.is_dir() else [source]:
        shutil.copy(each, target)
    return {"artifact-id": "1"}


def _download_artifact(inputs: Mapping[str, str], around: Around) -> Mapping[str, str]:
    source = around.artefacts / inputs["name"]
    if not source.is_dir():
        raise StepFailedError(f"Unable to download artifact(s): Artifact not found for name: {inputs['name']}")
    shutil.copytree(source, around.machine.workspace, dirs_exist_ok=True)
    return {}


def _upload_sarif(inputs: Mapping[str, str], around: Around) -> Mapping[str, str]:
    if around.permissions.get("security-events") != "write":
        raise StepFailedError("Resource not accessible by integration")
    text = (around.machine.workspace / inputs["sarif_file"]).read_text(encoding="utf-8")
    uploaded = around.artefacts / "code scanning"
    uploaded.mkdir(parents=True)
    (uploaded / f"{inputs['category']}.sarif").write_text(text, encoding="utf-8")
    return {"sarif-id": str(check_sarif(text))}


Run = Callable[[Mapping[str, str], Around], Mapping[str, str]]
_ACTIONS: Final[Mapping[str, tuple[set[str], Run]]] = {
    "actions/checkout": ({"ref", "fetch-depth", "persist-credentials"}, _checkout),
    "actions/setup-python": ({"python-version", "cache", "cache-dependency-path"}, _setup_python),
    "azure/login": ({"client-id", "tenant-id", "allow-no-subscriptions"}, _azure_login),
    "actions/upload-artifact": ({"name", "path", "if-no-files-found", "retention-days"}, _upload_artifact),
    "actions/download-artifact": ({"name"}, _download_artifact),
    "github/codeql-action/upload-sarif": ({"sarif_file", "category"}, _upload_sarif),
}
