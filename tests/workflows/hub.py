"""GitHub Actions of one repository: an event starts the workflows that want it, runs wait for each other as their
groups say, and each job gets a machine, a token with exactly its permissions, and what its environment holds."""

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.github.stand_in import StandIn
from tests.workflows.expressions import Context, interpolate, is_met
from tests.workflows.external import Around
from tests.workflows.files import Concurrency, Job, Workflow, read_workflow
from tests.workflows.id_tokens import IdTokens
from tests.workflows.job import JobRunning, StepSeen
from tests.workflows.machine import INSTALLED, Machine

#: By default, what a pull request event starts for: https://docs.github.com/actions/reference/events-that-trigger-workflows
_PULL_REQUEST_TYPES: Final = frozenset({"opened", "synchronize", "reopened"})


@dataclass(slots=True)
class Environment:
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    #: Who lets runs into it; empty: nobody is asked.
    reviewer: str = ""


@dataclass(slots=True)
class Event:
    kind: str
    path: Path
    payload: Mapping[str, Any]
    #: Of whom the code is that a workflow of this event runs.
    is_fork: bool
    changed: Sequence[str]


@dataclass(slots=True)
class JobSeen:
    result: str = "skipped"
    steps: list[StepSeen] = field(default_factory=list)
    summary: str = ""
    permissions: Mapping[str, str] = field(default_factory=dict)

    def step(self, name: str) -> StepSeen:
        (found,) = (each for each in self.steps if each.name == name)
        return found


@dataclass(slots=True)
class Run:
    id: int
    workflow: Workflow
    event: Event
    artefacts: Path
    groups: frozenset[str]
    #: success, failure, cancelled or skipped; empty while it waits or runs.
    conclusion: str = ""
    is_cancelled: bool = False
    jobs: dict[str, JobSeen] = field(default_factory=dict)

    @property
    def job(self) -> JobSeen:
        (found,) = self.jobs.values()
        return found

    @property
    def log(self) -> str:
        return "\n".join(
            f"[{name}] {step.name}: {step.outcome}\n{step.log}" for name, job in self.jobs.items() for step in job.steps
        )


def _nothing(_name: str) -> None:
    pass


@dataclass
class Hub:
    github: StandIn
    folder: Path
    id_tokens: IdTokens
    #: Of the repository.
    variables: dict[str, str] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    #: Azure: client id → subject it is federated with.
    identities: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    #: Called with the name of each step of a job before it runs.
    before_step: Callable[[str], None] = _nothing
    sharepack: Path = INSTALLED
    #: Workflows that somebody has disabled: names of their files, without the ending.
    disabled: frozenset[str] = frozenset()
    _running: Run | None = None

    def vault(self, name: str, secret: str, client: str, value: str) -> None:
        """Lets an identity read a secret of an Azure Key Vault."""
        place = self.folder / "vaults" / name / secret
        place.mkdir(parents=True, exist_ok=True)
        (place / client).write_text(value, encoding="utf-8")

    def happen(self, kind: str, *, by: str, only: str = "", **about: Any) -> list[Run]:
        """The event, and all it leads to; while a run is under way, only what waits for it. Gives its runs.

        `only`: the workflow that is started by hand."""
        path = self.github.event_file(kind, by=by, **about)
        payload = json.loads(path.read_text(encoding="utf-8"))
        head = payload.get("pull_request", {}).get("head", {}).get("repo") or {}
        is_fork = kind == "pull_request" and head.get("full_name") != self.github.repository
        event = Event(kind, path, payload, is_fork, self._changed(kind, payload))
        wanting = [each for each in self._workflows(event) if _wants(each, event)]
        made = [self._queued(each, event) for each in wanting if not only or each.path.endswith(f"/{only}.yml")]
        self._work()
        return made

    def of(self, name: str) -> list[Run]:
        return [run for run in self.runs if run.workflow.path.endswith(f"/{name}.yml")]

    def _changed(self, kind: str, payload: Mapping[str, Any]) -> Sequence[str]:
        if kind != "push":
            return ()
        git = self.github.git.git
        return git("diff", "--name-only", "--no-renames", payload["before"], payload["after"]).splitlines()

    def _workflows(self, event: Event) -> Iterator[Workflow]:
        """As they are in the commit that the event is about: of a pull request, its own."""
        commit = self.github.environment(event.kind, event.path)["GITHUB_SHA"]
        git = self.github.git.git
        for path in git("ls-tree", "--name-only", commit, ".github/workflows/").splitlines():
            if Path(path).stem not in self.disabled:
                yield read_workflow(path, git("show", f"{commit}:{path}"))

    def _queued(self, workflow: Workflow, event: Event) -> Run:
        env = self.github.environment(event.kind, event.path)
        number = self.github.run(env["GITHUB_SHA"], event.kind)
        run = Run(number, workflow, event, self.folder / "artefacts" / str(number), frozenset())
        run.groups = frozenset(group for group, _ in self._groups(run))
        for other in self.runs:
            shared = {group for group, _ in self._groups(run)} & other.groups
            if other is self._running and any(group in shared and cancels for group, cancels in self._groups(run)):
                other.is_cancelled = True
            elif not other.conclusion and other is not self._running and shared:
                other.conclusion = "cancelled"
        self.runs.append(run)
        return run

    def _groups(self, run: Run) -> Iterator[tuple[str, bool]]:
        """Of the run and of its jobs, whether these will run or not: GitHub may count them before it knows."""
        context = Context(self._names(run, None))
        for concurrency in (run.workflow.concurrency, *(job.concurrency for job in run.workflow.jobs.values())):
            if isinstance(concurrency, Concurrency):
                yield interpolate(concurrency.group, context).casefold(), concurrency.cancels

    def _work(self) -> None:
        while self._running is None:
            waiting = next((run for run in self.runs if not run.conclusion), None)
            if waiting is None:
                return
            self._running = waiting
            try:
                self._carry_out(waiting)
            finally:
                self._running = None

    def _carry_out(self, run: Run) -> None:
        for job in run.workflow.jobs.values():
            run.jobs[job.id] = JobSeen()
            needed = {name: {"result": run.jobs[name].result} for name in job.needs}
            is_failed = any(each["result"] == "failure" for each in needed.values())
            names = self._names(run, None) | {"needs": needed}
            is_skipped = any(each["result"] == "skipped" for each in needed.values())
            if not is_skipped and is_met(job.condition, Context(names, is_failed, run.is_cancelled)):
                self._run_job(run, job, needed)
        results = {job.result for job in run.jobs.values()}
        run.conclusion = next(
            (each for each in ("cancelled", "failure", "success") if each in results), "skipped"
        )  # fmt: skip

    def _run_job(self, run: Run, job: Job, needed: Mapping[str, Any]) -> None:
        environment = self._enter(run, job)
        seen = run.jobs[job.id]
        seen.permissions = {
            name: "read" if run.event.is_fork and level == "write" else level
            for name, level in job.permissions.items()
            if not (run.event.is_fork and name == "id-token")
        }
        token = self.github.workflow_token(seen.permissions)
        machine = self._machine(run, job)
        subject = self._subject(job) if seen.permissions.get("id-token") == "write" else ""
        if subject:
            machine.env["ACTIONS_ID_TOKEN_REQUEST_URL"] = self.id_tokens.url
            machine.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = self.id_tokens.admit(subject)
        around = Around(
            machine=machine,
            permissions=seen.permissions,
            clone_url=self.github.clone_url,
            ref=machine.env["GITHUB_REF"],
            sha=machine.env["GITHUB_SHA"],
            subject=subject,
            identities=self.identities,
            artefacts=run.artefacts,
        )
        names = self._names(run, environment, token) | {"needs": needed}
        running = JobRunning(machine, around, names, lambda: run.is_cancelled, self.before_step, seen.steps)
        try:
            is_ok = running.run(job.steps)
        finally:
            self.github.revoke(token)
            shutil.rmtree(machine.folder)
        seen.summary = machine.summary
        seen.result = "cancelled" if run.is_cancelled else "success" if is_ok else "failure"

    def _enter(self, run: Run, job: Job) -> Environment:
        if not job.environment:
            return Environment()
        found = self.environments[job.environment]
        if found.reviewer:
            self.github.let_go_ahead(run.id, found.reviewer, job.environment)
        return found

    def _subject(self, job: Job) -> str:
        """https://docs.github.com/actions/reference/security/oidc: of a job in an environment."""
        if not job.environment:
            raise NotImplementedError("a job with id-token: write is in an environment here")
        return f"repo:{self.github.repository}:environment:{job.environment}"

    def _machine(self, run: Run, job: Job) -> Machine:
        machine = Machine(self.folder / "machines" / f"{run.id} {job.id}", self.sharepack)
        machine.env |= self.github.environment(run.event.kind, run.event.path, run=run.id)
        machine.env |= {"GITHUB_JOB": job.id, "GITHUB_WORKFLOW": run.workflow.name}
        machine.command(machine.bin, "az", _AZ.format(vaults=shlex.quote(str(self.folder / "vaults"))))
        return machine

    def _names(self, run: Run, environment: Environment | None, token: str = "") -> dict[str, Any]:
        """A fork is given neither variables nor secrets. Those of an environment are there once a job has begun."""
        env = self.github.environment(run.event.kind, run.event.path, run=run.id)
        given = environment or Environment()
        inputs = run.event.payload.get("inputs") or {}
        known = (run.workflow.triggers.get("workflow_dispatch") or {}).get("inputs", {})
        return {
            "github": {
                "event": run.event.payload,
                "event_name": run.event.kind,
                "ref": env["GITHUB_REF"],
                "repository": env["GITHUB_REPOSITORY"],
                "run_id": env["GITHUB_RUN_ID"],
                "token": token,
            },
            "vars": {} if run.event.is_fork else {**self.variables, **given.variables},
            "secrets": {} if run.event.is_fork else given.secrets,
            "inputs": {name: inputs.get(name, about.get("default", "")) for name, about in known.items()}
            if run.event.kind == "workflow_dispatch"
            else {},
        }


def _wants(workflow: Workflow, event: Event) -> bool:
    if event.kind not in workflow.triggers:
        return False
    about = workflow.triggers[event.kind]
    match event.kind:
        case "pull_request":
            return event.payload["action"] in _PULL_REQUEST_TYPES
        case "push":
            branch = event.payload["ref"].removeprefix("refs/heads/")
            is_on_branch = branch in about.get("branches", [branch])
            return is_on_branch and (
                "paths" not in about or any(_is_in(path, about["paths"]) for path in event.changed)
            )
        case "issue_comment":
            return event.payload["action"] in about["types"]
        case "schedule":
            return bool(event.payload["schedule"] == about["cron"])
        case _:
            return True


def _is_in(path: str, patterns: Sequence[str]) -> bool:
    """Of the patterns, `FOLDER/**` is all that is known here."""
    for pattern in patterns:
        folder = re.fullmatch(r"([\w./-]+/)\*\*", pattern)
        if folder is None:
            raise NotImplementedError(pattern)
        if path.startswith(folder[1]):
            return True
    return False


_AZ: Final = """\
case "$*" in
  "keyvault secret show --vault-name $5 --name $7 --query value --output tsv") ;;
  *) echo "az: not known here: $*" >&2; exit 2 ;;
esac
client="$(cat "$HOME/.azure/client")" || {{ echo "Please run 'az login' to setup account." >&2; exit 1; }}
cat {vaults}"/$5/$7/$client" || {{ echo "(Forbidden) Caller is not authorized" >&2; exit 1; }}"""
