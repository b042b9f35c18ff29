"""The cases of another tool for the same API, as data: same current state, same desired state. Where we come to
something else on purpose, cases/differences.json says why and what; no case is left out."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.actual import Absent, Found, Observed
from reconciler.core.calls import Call, ChangeOwner, UpdateShare
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.key import recipient_key
from reconciler.core.lowering import lower, managed_like
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import Share
from tests.core.peer import Case, asked_for, done_by, states, words
from tests.core.worlds import WORKSPACE, as_actual, workspace_of

HERE = Path(__file__).parent
CASES: dict[str, Case] = {
    case["name"]: case
    for case in json.loads((HERE / "cases" / "sharing_cases.json").read_text(encoding="utf-8"))["cases"]
}
DIFFERENCES: dict[str, dict[str, Any]] = json.loads((HERE / "cases" / "differences.json").read_text(encoding="utf-8"))
SAME = [name for name in CASES if name not in DIFFERENCES]
OTHERWISE = [name for name, difference in DIFFERENCES.items() if "calls" in difference]
ELSEWHERE = [name for name, difference in DIFFERENCES.items() if "test" in difference]


def our_calls(case: Case) -> tuple[Call, ...]:
    """Ours already: on record as it is there. The model of Databricks takes every call."""
    there, wanted = states(case)
    if wanted is None and there is None:
        return ()
    key = key_of(wanted or there, WORKSPACE)  # type: ignore[arg-type]
    renames = there is not None and wanted is not None and there.name != wanted.name
    observed: Observed = Absent() if there is None else Found(as_actual(there))
    verdict = compare(ThreeStates(wanted, there, observed, renames=renames))
    calls = tuple(operation.call for operation in lower(key, verdict))
    _perform(there, wanted, calls)
    return calls


def _perform(there: Resource | None, wanted: Resource | None, calls: tuple[Call, ...]) -> None:
    shares = [item for item in (there, wanted) if isinstance(item, Share) and item.recipients is not UNMANAGED]
    names = {name for share in shares if isinstance(share.recipients, frozenset) for name in share.recipients}
    workspace = workspace_of(*([] if there is None else [there]))
    for name in names:
        key = recipient_key(name, WORKSPACE)
        workspace.resources[key] = as_actual(Recipient(name, TokenSharing()))
    for call in calls:
        workspace.perform(call)
    if wanted is not None:
        assert managed_like(wanted, workspace.told(key_of(wanted, WORKSPACE))) == wanted


def test_every_case_is_accounted_for_by_name() -> None:
    assert len(CASES) == 81
    assert DIFFERENCES.keys() <= CASES.keys()
    for difference in DIFFERENCES.values():
        assert difference.keys() <= {"why", "calls", "test"}
        assert difference["why"].endswith(".")
    assert len(SAME) + len(DIFFERENCES) == len(CASES)


@pytest.mark.parametrize("name", SAME)
def test_the_same_states_come_to_the_same_requests(name: str) -> None:
    case = CASES[name]
    calls = our_calls(case)
    theirs, ours = asked_for(case), done_by(calls)
    assert (ours.created, ours.deleted) == (theirs.created.lower(), theirs.deleted.lower())
    assert ours.fields == theirs.fields
    assert ours.grants == theirs.grants
    assert ours.objects.keys() == theirs.objects.keys()
    for at, sent in ours.objects.items():
        # The peer sends an object whole; what we send of it is the same, and the rest is as it was.
        assert {field: value for field, value in sent.items() if field in theirs.objects[at]}.items() == {
            field: value for field, value in theirs.objects[at].items() if field in sent
        }.items()
    _has_the_order_that_matters(calls)


def _has_the_order_that_matters(calls: tuple[Call, ...]) -> None:
    """The owner first when it changes, and removals before anything else."""
    owners = [at for at, call in enumerate(calls) if isinstance(call, ChangeOwner)]
    assert owners in ([], [0])
    updates = [call for call in calls if isinstance(call, UpdateShare)]
    for before, after in pairwise(updates):
        assert not (before.add and after.remove)


@pytest.mark.parametrize("name", OTHERWISE)
def test_where_we_differ_on_purpose_the_case_says_what_we_do(name: str) -> None:
    assert [words(call) for call in our_calls(CASES[name])] == DIFFERENCES[name]["calls"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_no_difference_of_states_is_tested_where_it_belongs(name: str) -> None:
    path, _, function = DIFFERENCES[name]["test"].partition("::")
    text = (HERE.parent.parent / path).read_text(encoding="utf-8")
    assert f"def {function}(" in text


def test_a_case_that_is_neither_compared_nor_tested_elsewhere_cannot_exist_here() -> None:
    """They are about privileges, ids and workspaces that packs do not have."""
    rest = [name for name in DIFFERENCES if name not in OTHERWISE and name not in ELSEWHERE]
    assert all(
        CASES[name]["kind"].startswith("grant")
        or "workspace_id" in name
        or name == "pf_comment_sent_unknown_plan_value_in_state"
        for name in rest
    )
