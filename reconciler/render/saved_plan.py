"""Reads a saved plan back. It is an approval: which actions, for which pack, in which workspace. It is never carried
out as it stands; a new plan is made, and may do no more than the saved one says."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.approval import Approved, is_genuine
from reconciler.core.desired import Revision
from reconciler.core.key import PackId
from reconciler.render.plan_json import FORMAT, FORMAT_VERSION


class SavedPlanError(ValueError):
    """The file is not a saved plan that this program can stand by; says what to do."""


@dataclass(frozen=True, slots=True)
class SavedPlan:
    revision: Revision
    packs: Mapping[PackId, Approved]


def read_saved_plan(text: str) -> SavedPlan:
    """Raises SavedPlanError on anything but a plan written by `plan_json`, unchanged since."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise SavedPlanError("this is not a saved plan; make one with `sharepack plan --out FILE`")
        _check_version(str(document["format_version"]))
        return SavedPlan(_revision(document["revision"]), dict(_packs(document["packs"])))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, RecursionError, UnicodeError) as error:
        raise SavedPlanError(
            "this is not a saved plan, or a part of it is missing; make one with `sharepack plan --out FILE`"
        ) from error


def _check_version(version: str) -> None:
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise SavedPlanError(
            f"the plan has format version {version} and this program reads {FORMAT_VERSION}: "
            "plan again with this program, or apply with the one that planned"
        )


def _revision(value: Mapping[str, Any]) -> Revision:
    texts = {name: str(value[name]) for name in ("commit", "branch", "author", "content")}
    return Revision(is_committed=value["is_committed"] is True, **texts)


def _packs(values: list[Mapping[str, Any]]) -> Iterator[tuple[PackId, Approved]]:
    for value in values:
        pack = PackId.of(value["id"]["business_line"], value["id"]["project_name"])
        approved = Approved(
            value["fingerprint"], frozenset(value["actions"]), value["workspace"], frozenset(value["gains"])
        )
        if not is_genuine(pack, approved):
            raise SavedPlanError(
                f"the plan for {pack} was changed after it was made: its actions are not those of its fingerprint; "
                "plan again"
            )
        yield pack, approved
