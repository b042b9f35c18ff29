"""What becomes of a pack that is handed in when Git, the database or the process fails: nothing of it is there, or the
sweep finishes it, and what came after it is never taken back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.ports.inbox import Inbox, Upload, UploadStatus
from reconciler.ports.ledger import LedgerError
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.pack_store import PackStoreError, Put, Stored
from tests.journeys.daemons import cloned, push, share_origin
from tests.journeys.hands import Hands, hands
from tests.journeys.journey import Journey, git
from tests.journeys.packs import FINANCE, SALES
from tests.journeys.test_daemon import shared
from tests.journeys.test_handed_in import MORE, PACK, PATH


class Failing:
    """A port that is gone before or after one of its methods; others work."""

    def __init__(self, port: object, method: str, side: str, error: Exception) -> None:
        self._port, self._method, self._side, self._error = port, method, side, error

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name != self._method:
            return found

        async def call(*given: Any, **named: Any) -> Any:
            if self._side == "after":
                await found(*given, **named)
            raise self._error

        return call


@pytest.fixture
def somebody(journey: Journey) -> Hands:
    journey.commit("An empty folder of packs")
    return hands(journey)


@pytest.fixture
def remote(journey: Journey, tmp_path: Path) -> Hands:
    """Over a clone of a bare repository."""
    journey.commit("An empty folder of packs")
    origin = share_origin(journey, tmp_path)
    return hands(journey, cloned(origin, tmp_path / "the API's clone"), origin)


async def test_with_the_remote_gone_nothing_is_committed_and_the_upload_has_failed(remote: Hands) -> None:
    first = await remote.accepted(SALES)
    refs = remote.refs()
    moved = remote.origin.rename(remote.origin.with_name("gone.git"))
    with pytest.raises(PackStoreError):
        await remote.hand_in(MORE)
    moved.rename(remote.origin)
    assert remote.refs() == refs
    assert await remote.states() == [(PACK, "COMPLETED")]
    assert first.entered is not None
    failed, _ = await remote.portal.inbox.uploads(first.upload.pack)
    assert failed.status is UploadStatus.FAILED
    assert failed.reason
    assert (await remote.receiving.sweep(0)).done == 0
    again = await remote.accepted(MORE)
    assert again.is_new
    assert again.entered == first.entered
    assert len(remote.log()) == 2


async def test_the_same_file_again_while_the_remote_is_gone_fails_nothing_that_is_in_git(remote: Hands) -> None:
    first = await remote.accepted(SALES, finishes=False)
    moved = remote.origin.rename(remote.origin.with_name("gone.git"))
    with pytest.raises(PackStoreError):
        await remote.hand_in(SALES)
    moved.rename(remote.origin)
    assert (await remote.upload(first)).status is UploadStatus.COMMITTED
    assert (await remote.receiving.sweep(0)).done == 1
    assert len(remote.log()) == 1


async def test_what_others_pushed_is_below_what_is_handed_in(remote: Hands, journey: Journey) -> None:
    """The clone does not know of it yet."""
    await remote.accepted(SALES)
    git(journey.repository, "pull", "--quiet", "origin", "main")
    journey.save(PATH.removeprefix("sharepacks/"), MORE)
    push(journey)
    again = await remote.accepted(SALES)
    assert remote.content(PATH) == SALES.strip()
    assert len(remote.log()) == 3
    assert again.upload.commit == git(remote.origin, "rev-parse", "main")
    assert (await remote.upload(again)).commit == again.upload.commit
    assert await remote.states() == [(PACK, "COMPLETED")]


async def test_another_process_with_a_clone_of_its_own_finishes_it(
    remote: Hands, journey: Journey, tmp_path: Path, sdk: Any
) -> None:
    other = hands(journey, cloned(remote.origin, tmp_path / "another clone"), remote.origin)
    await remote.accepted(SALES, finishes=False)
    assert (await other.receiving.sweep(0)).done == 1
    await other.work()
    assert shared(sdk) == {"transactions", "customers"}


@pytest.mark.parametrize(("method", "side"), [("receive", "before"), ("receive", "after"), ("committed", "before")])
async def test_with_the_database_gone_nothing_is_there_or_the_sweep_finishes_it(
    somebody: Hands, method: str, side: str, sdk: Any
) -> None:
    inbox = somebody.receiving.inbox
    somebody.receiving.inbox = failing(inbox, method, side, LedgerError("the database is gone"))
    with pytest.raises(LedgerError):
        await somebody.hand_in(SALES)
    somebody.receiving.inbox = inbox
    is_kept = (method, side) != ("receive", "before")
    assert len(somebody.log()) == (method == "committed")
    assert await somebody.states() == []
    assert (await somebody.receiving.sweep(0)).done == is_kept
    await somebody.work()
    assert len(somebody.log()) == is_kept
    assert await somebody.states() == ([(PACK, "COMPLETED")] if is_kept else [])
    assert await inbox.unfinished(0) == []


def failing(inbox: Inbox, method: str, side: str, error: Exception) -> Any:
    return Failing(inbox, method, side, error)


async def left_behind(somebody: Hands, content: str, *, is_committed: bool) -> Upload:
    """By a process that was killed."""
    if is_committed:
        return (await somebody.accepted(content, finishes=False)).upload
    inbox = somebody.receiving.inbox
    somebody.receiving.inbox = failing(inbox, "receive", "after", LedgerError("killed"))
    with pytest.raises(LedgerError):
        await somebody.hand_in(content)
    somebody.receiving.inbox = inbox
    (upload,) = await inbox.unfinished(0)
    return upload


@pytest.mark.parametrize("is_committed", [True, False])
async def test_a_sweep_takes_back_nothing_that_was_handed_in_later(
    somebody: Hands, is_committed: bool, sdk: Any
) -> None:
    older = await left_behind(somebody, SALES, is_committed=is_committed)
    await somebody.accepted(MORE)
    assert (await somebody.receiving.sweep(0)).done == 1
    await somebody.work()
    assert somebody.content(PATH) == MORE.strip()
    assert shared(sdk) == {"transactions", "customers", "refunds"}
    assert await somebody.states() == [(PACK, "COMPLETED")]
    ended = await somebody.portal.inbox.find(older.id)
    assert ended is not None
    assert ended.status is (UploadStatus.SUBMITTED if is_committed else UploadStatus.FAILED)


async def test_a_sweep_takes_back_nothing_that_was_changed_by_hand(somebody: Hands, sdk: Any) -> None:
    await left_behind(somebody, SALES, is_committed=True)
    somebody.journey.save(PATH.removeprefix("sharepacks/"), MORE)
    assert (await somebody.receiving.sweep(0)).done == 1
    await somebody.work()
    assert somebody.content(PATH) == MORE.strip()
    assert shared(sdk) == {"transactions", "customers", "refunds"}


async def test_a_sweep_looks_again_whether_it_goes_together_with_the_others(somebody: Hands) -> None:
    older = await left_behind(somebody, SALES, is_committed=False)
    await somebody.accepted(FINANCE.replace("finance_q1_share", "sales_q1_share"))
    assert (await somebody.receiving.sweep(0)).done == 1
    ended = await somebody.portal.inbox.find(older.id)
    assert ended is not None
    assert (ended.status, "declared in" in ended.reason) == (UploadStatus.FAILED, True)
    assert len(somebody.log()) == 1


async def test_one_that_cannot_be_finished_keeps_no_other_from_it(somebody: Hands, monkeypatch: Any) -> None:
    first = await somebody.accepted(SALES, finishes=False)
    second = await somebody.accepted(FINANCE, finishes=False)
    reconcile = type(somebody.receiving.reconciler).reconcile

    async def refusing(self: Any, desired: Any, scope: Any, wishes: Any) -> Any:
        if first.upload.pack in scope:
            raise PackSourceError("the history is damaged")
        return await reconcile(self, desired, scope, wishes)

    monkeypatch.setattr("reconciler.stages.reconcile.Reconciler.reconcile", refusing)
    swept = await somebody.receiving.sweep(0)
    assert (swept.done, dict(swept.waiting)) == (1, {first.upload.id: "the history is damaged"})
    assert (await somebody.upload(second)).status is UploadStatus.SUBMITTED


async def test_what_was_broken_in_git_meanwhile_is_told(somebody: Hands) -> None:
    answer = await somebody.accepted(SALES, finishes=False)
    somebody.journey.save(PATH.removeprefix("sharepacks/"), SALES.replace("D2O", "D2X"))
    assert await somebody.receiving.finish(answer.upload)
    ((_, status),) = await somebody.states()
    assert status == "VALIDATION_FAILED"


class Overtaking:
    """A store before which another process was faster, once."""

    def __init__(self, hands: Hands, first: str) -> None:
        self._hands, self._first, self._store = hands, first, hands.receiving.store

    async def put(self, put: Put, branch: str = "") -> Stored:
        self._hands.receiving.store = self._store
        other = replace(put, files={PATH: self._first.encode()})
        await self._store.put(other)
        return await self._store.put(put, branch)


async def test_an_upload_that_ended_is_not_the_one_that_is_committed_anew(somebody: Hands) -> None:
    first = await somebody.accepted(SALES)
    somebody.receiving.store = Overtaking(somebody, MORE)
    again = await somebody.accepted(SALES)
    assert again.upload.id != first.upload.id
    assert (await somebody.upload(again)).commit == git(somebody.origin, "rev-parse", "main")
