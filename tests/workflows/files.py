"""Workflow and action files as values. A key that is not known here is an error, so that nothing is passed over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

_OF_WORKFLOWS: Final = {"name", "on", "permissions", "concurrency", "jobs"}
_OF_JOBS: Final = {
    *("name", "needs", "if", "runs-on", "timeout-minutes", "environment", "concurrency", "permissions", "steps")
}
_OF_STEPS: Final = {"name", "id", "if", "uses", "with", "run", "shell", "env"}
_OF_ACTIONS: Final = {"name", "description", "inputs", "outputs", "runs"}
_OF_TRIGGERS: Final[Mapping[str, set[str]]] = {
    "pull_request": set(),
    "push": {"branches", "paths"},
    "issue_comment": {"types"},
    "workflow_dispatch": {"inputs"},
    "schedule": {"cron"},
}


class FileError(Exception):
    """There is something in a file that is not known here."""


@dataclass(frozen=True, slots=True)
class Concurrency:
    group: str
    cancels: bool


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    id: str
    condition: str | None
    uses: str
    inputs: Mapping[str, str]
    run: str
    shell: str
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    needs: Sequence[str]
    condition: str | None
    environment: str
    concurrency: Concurrency | None
    permissions: Mapping[str, str]
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Workflow:
    path: str
    name: str
    triggers: Mapping[str, Mapping[str, Any]]
    concurrency: Concurrency | None
    jobs: Mapping[str, Job]


@dataclass(frozen=True, slots=True)
class Action:
    #: Input → default; None: it has to be given.
    inputs: Mapping[str, str | None]
    outputs: Mapping[str, str]
    steps: Sequence[Step]


def read_workflow(path: str, text: str) -> Workflow:
    found = _mapping(_load(text), _OF_WORKFLOWS, path)
    if found.get("permissions") != {}:
        raise FileError(f"{path}: what is not said has to be none: permissions: {{}}")
    triggers = {name: _trigger(name, given, path) for name, given in found["on"].items()}
    jobs = {name: _job(name, given, f"{path}: {name}") for name, given in found["jobs"].items()}
    return Workflow(path, found["name"], triggers, _concurrency(found.get("concurrency"), path), jobs)


def read_action(path: str, text: str) -> Action:
    found = _mapping(_load(text), _OF_ACTIONS, path)
    runs = _mapping(found["runs"], {"using", "steps"}, path)
    if runs["using"] != "composite":
        raise FileError(f"{path}: only composite actions are known here")
    inputs = {}
    for name, given in found.get("inputs", {}).items():
        about = _mapping(given, {"description", "required", "default"}, path)
        inputs[name] = about.get("default") if about["required"] == "false" else None
    outputs = {
        name: str(_mapping(given, {"description", "value"}, path)["value"])
        for name, given in found.get("outputs", {}).items()
    }
    return Action(inputs, outputs, [_step(each, path) for each in runs["steps"]])


def _load(text: str) -> Any:
    """All scalars as text, which is what GitHub hands on; and the key `on` stays a word."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def _mapping(value: Any, known: set[str], place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FileError(f"{place}: not a mapping: {value!r}")
    if unknown := value.keys() - known:
        raise FileError(f"{place}: not known here: {sorted(unknown)}")
    return value


def _trigger(name: str, given: Any, path: str) -> Mapping[str, Any]:
    if name not in _OF_TRIGGERS:
        raise FileError(f"{path}: the trigger {name} is not known here")
    if isinstance(given, list):
        given = given[0]
    return _mapping(given or {}, _OF_TRIGGERS[name], f"{path}: {name}")


def _job(name: str, given: Any, place: str) -> Job:
    found = _mapping(given, _OF_JOBS, place)
    if not 0 < int(found["timeout-minutes"]) <= 360:
        raise FileError(f"{place}: no time limit")
    needs = found.get("needs", [])
    return Job(
        id=name,
        needs=[needs] if isinstance(needs, str) else needs,
        condition=found.get("if"),
        environment=found.get("environment", ""),
        concurrency=_concurrency(found.get("concurrency"), place),
        permissions=dict(found["permissions"]),
        steps=[_step(each, place) for each in found["steps"]],
    )


def _step(given: Any, place: str) -> Step:
    found = _mapping(given, _OF_STEPS, place)
    if ("uses" in found) == ("run" in found):
        raise FileError(f"{place}: a step uses an action or runs a script: {found}")
    if "${{" in found.get("run", ""):
        raise FileError(f"{place}: an expression in a script: {found['run']}")
    return Step(
        name=found.get("name", found.get("uses", "")),
        id=found.get("id", ""),
        condition=found.get("if"),
        uses=found.get("uses", ""),
        inputs=found.get("with", {}),
        run=found.get("run", ""),
        shell=found.get("shell", ""),
        env=found.get("env", {}),
    )


def _concurrency(given: Any, place: str) -> Concurrency | None:
    if given is None:
        return None
    found = _mapping(given, {"group", "cancel-in-progress"}, place)
    return Concurrency(found["group"], found["cancel-in-progress"] == "true")
