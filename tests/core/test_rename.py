"""Under which name a renamed resource is found, and what its rename does to the shares granted to it."""

from dataclasses import replace

import pytest

from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.key import recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.readers import moved_readers, moves, observed_after, resource_after
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.recorded import Recorded, RecordedState
from reconciler.core.rename import Followed, follow
from reconciler.core.share import NotebookContent, ObjectType, Share, SharedObject
from reconciler.core.sight import see
from reconciler.core.verdict import Keep, Rename, Replace
from tests.core.worlds import COMMIT, SALES_Q1, WORKSPACE

NEW, OLD = recipient_key("new", WORKSPACE), recipient_key("old", WORKSPACE)
THERE_NEW, THERE_OLD = (Found(Recipient(name, TokenSharing())) for name in ("new", "old"))
ROW_NEW, ROW_OLD = (Recorded(Recipient(name, TokenSharing()), SALES_Q1, 1, COMMIT) for name in ("new", "old"))
UNSEEN, REFUSED = Unreadable("not looked at"), Unreadable("PERMISSION_DENIED")


def rows(*recorded: Recorded, is_begun: bool = False) -> RecordedState:
    resources = {recipient_key(row.resource.name, WORKSPACE): row for row in recorded}
    return RecordedState(resources, {NEW: SALES_Q1} if is_begun else {})


@pytest.mark.parametrize(
    ("recorded", "new", "old", "expected"),
    [
        pytest.param(rows(ROW_OLD), Absent(), THERE_OLD, Followed(ROW_OLD, THERE_OLD, is_due=True), id="due"),
        pytest.param(
            rows(ROW_OLD, is_begun=True), THERE_NEW, Absent(), Followed(ROW_OLD, THERE_NEW, is_done=True), id="done"
        ),
        pytest.param(rows(ROW_OLD), THERE_NEW, Absent(), Followed(None, THERE_NEW), id="somebody made the new one"),
        pytest.param(rows(ROW_OLD), THERE_NEW, THERE_OLD, Followed(None, THERE_NEW), id="both are there"),
        pytest.param(rows(ROW_OLD), Absent(), Absent(), Followed(None, Absent()), id="neither is there"),
        pytest.param(rows(ROW_OLD), Absent(), REFUSED, Followed(None, REFUSED), id="the old one may be there"),
        pytest.param(rows(ROW_OLD), REFUSED, THERE_OLD, Followed(None, REFUSED), id="the new one may be there"),
        pytest.param(rows(), Absent(), THERE_OLD, Followed(None, Absent()), id="the old one is not ours"),
        pytest.param(rows(ROW_NEW), THERE_NEW, THERE_OLD, Followed(ROW_NEW, THERE_NEW), id="recorded as renamed"),
        pytest.param(rows(ROW_NEW, ROW_OLD), Absent(), THERE_OLD, Followed(ROW_NEW, Absent()), id="two rows"),
    ],
)
def test_follow(recorded: RecordedState, new: Observed, old: Observed, expected: Followed) -> None:
    assert follow(NEW, "old", recorded, {NEW: new, OLD: old}, UNSEEN) == expected


def test_what_was_not_renamed_is_where_it_is() -> None:
    assert follow(NEW, "", rows(ROW_NEW), {NEW: THERE_NEW}, UNSEEN) == Followed(ROW_NEW, THERE_NEW)
    assert follow(NEW, "", rows(), {}, UNSEEN) == Followed(None, UNSEEN)


SHARE = Share("s", recipients=frozenset({"old", "acme", "gone"}))
RENAMED = Rename(Recipient("old", TokenSharing()), Recipient("new", TokenSharing()), ())
REPLACED = Replace(Recipient("gone", TokenSharing()), Recipient("gone", DatabricksSharing("aws:x:y")))


def test_grants_follow_a_rename_and_go_with_what_is_made_anew() -> None:
    moved = moves(
        [
            (NEW, RENAMED),
            (recipient_key("gone", WORKSPACE), REPLACED),
            (recipient_key("acme", WORKSPACE), Keep(Recipient("acme", TokenSharing()))),
            (share_key("other", WORKSPACE), Rename(Share("acme"), Share("other"), ())),
        ]
    )
    assert moved == {(WORKSPACE, "old"): "new", (WORKSPACE, "gone"): None}
    after = replace(SHARE, recipients=frozenset({"new", "acme"}))
    assert resource_after(SHARE, WORKSPACE, moved) == after
    assert observed_after(Found(SHARE), WORKSPACE, moved) == Found(after)
    assert resource_after(SHARE, "https://elsewhere.example", moved) == SHARE
    assert resource_after(Share("s"), WORKSPACE, moved) == Share("s")
    assert resource_after(RENAMED.before, WORKSPACE, moved) == RENAMED.before
    assert observed_after(Absent(), WORKSPACE, moved) == Absent()


def test_who_moves_is_named_as_it_will_be_called() -> None:
    moved = moves([(NEW, RENAMED), (recipient_key("gone", WORKSPACE), REPLACED)])
    seen: list[Observed] = [Found(SHARE), Found(Share("t")), Absent(), Found(RENAMED.before)]
    assert moved_readers(WORKSPACE, seen, moved) == {NEW, recipient_key("gone", WORKSPACE)}
    assert moved_readers("https://elsewhere.example", seen, moved) == frozenset()


def test_a_share_is_seen_as_it_will_be_once_its_readers_bear_their_names() -> None:
    key = share_key("s", WORKSPACE)
    row = Recorded(SHARE, SALES_Q1, 1, COMMIT)
    moved = moves([(NEW, RENAMED)])
    sight = see(key, "", RecordedState({key: row}), {key: Found(SHARE)}, moved, UNSEEN)
    after = replace(SHARE, recipients=frozenset({"new", "acme", "gone"}))
    assert (sight.observed, sight.row) == (Found(after), replace(row, resource=after))
    assert sight.is_renamed
    assert sight.rows_behind(SALES_Q1, is_committed=True)


@pytest.mark.parametrize(
    ("pack", "commit", "is_committed", "is_behind"),
    [
        (SALES_Q1, COMMIT, True, False),
        (replace(SALES_Q1, project_key="other"), COMMIT, True, True),
        (SALES_Q1, "", True, True),
        (SALES_Q1, "", False, False),
    ],
)
def test_rows_are_behind_when_they_name_another_pack_or_no_commit(
    pack: object, commit: str, is_committed: bool, is_behind: bool
) -> None:
    row = replace(ROW_NEW, pack=pack, commit=commit)  # type: ignore[arg-type]
    sight = see(NEW, "", rows(row), {NEW: THERE_NEW}, {}, UNSEEN)
    assert sight.rows_behind(SALES_Q1, is_committed=is_committed) is is_behind
    nothing = see(NEW, "", rows(), {NEW: THERE_NEW}, {}, UNSEEN)
    assert not nothing.rows_behind(SALES_Q1, is_committed=True)


def test_a_rename_is_seen_from_the_old_name_until_it_is_done() -> None:
    due = see(NEW, "old", rows(ROW_OLD), {NEW: Absent(), OLD: THERE_OLD}, {}, UNSEEN)
    assert (due.renames, due.renamed_from, due.is_renamed) == (True, "old", False)
    done = see(NEW, "old", rows(ROW_OLD, is_begun=True), {NEW: THERE_NEW, OLD: Absent()}, {}, UNSEEN)
    assert (done.renames, done.renamed_from, done.is_renamed) == (False, "old", True)
    recorded = see(NEW, "old", rows(ROW_NEW), {NEW: THERE_NEW}, {}, UNSEEN)
    assert (recorded.renames, recorded.renamed_from) == (False, "")


def test_after_a_call_whose_outcome_is_not_known_a_record_of_a_notebook_is_worth_nothing() -> None:
    key = share_key("s", WORKSPACE)
    notebook = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=NotebookContent("1" * 64))
    row = Recorded(Share("s", objects=frozenset({notebook})), SALES_Q1, 1, COMMIT)
    state = RecordedState({key: row}, {key: SALES_Q1})
    sight = see(key, "", state, {key: Found(Share("s"))}, {}, UNSEEN)
    assert sight.row is not None
    assert sight.row.resource == Share("s", objects=frozenset({replace(notebook, content=UNMANAGED)}))
    assert not sight.is_renamed
    known = see(key, "", replace(state, open_intents={}), {key: Found(Share("s"))}, {}, UNSEEN)
    assert known.row == row


def test_a_share_that_is_gone_holds_no_notebook_that_could_differ_from_its_record() -> None:
    """Otherwise a pack that only reports drift would have it made again because a call on it was once begun."""
    key = share_key("s", WORKSPACE)
    notebook = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=NotebookContent("1" * 64))
    row = Recorded(Share("s", objects=frozenset({notebook})), SALES_Q1, 1, COMMIT)
    assert see(key, "", RecordedState({key: row}, {key: SALES_Q1}), {key: Absent()}, {}, UNSEEN).row == row


def test_a_share_that_is_gone_holds_no_grant_that_could_move() -> None:
    key = share_key("s", WORKSPACE)
    row = Recorded(SHARE, SALES_Q1, 1, COMMIT)
    sight = see(key, "", RecordedState({key: row}), {key: Absent()}, moves([(NEW, RENAMED)]), UNSEEN)
    assert (sight.row, sight.is_renamed) == (row, False)
