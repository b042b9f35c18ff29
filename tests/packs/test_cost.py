"""What reading costs, in calls and bytes, never in seconds: it grows as the packs do, and no faster."""

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from unittest.mock import patch

import pytest

from reconciler.core.desired import Desired
from reconciler.packs import references
from reconciler.packs.collecting import keeping_all
from tests.packs.examples import read

TENANTS = b"tenants: {Sales: {catalogs: [c], lends_recipients_to: ['*']}, Legal: {catalogs: [c]}}\n"


def pack(
    number: int, *, line: str = "Sales", readers: Iterable[str] = ("r",), own: Iterable[str] = (), objects: int = 5
) -> bytes:
    text = [
        f"metadata: {{requestor: a@b.example, project_name: p{number}, business_line: {line}}}",
        f"recipient: [{', '.join(f'{{name: {name}, type: D2O, email: a@b.example}}' for name in own)}]",
        "share:",
        f"- name: s{number}",
        f"  recipients: [{', '.join(readers)}]",
        "  data_objects:",
        *(f"  - c.s{number}.t{position}" for position in range(objects)),
    ]
    return "\n".join(text).encode() + b"\n"


def named(packs: Iterable[bytes]) -> Mapping[str, bytes]:
    return {"tenants.yaml": TENANTS} | {f"p{number:05}.yaml": data for number, data in enumerate(packs)}


def own_recipients(count: int) -> Mapping[str, bytes]:
    return named(pack(number, readers=[f"r{number}"], own=[f"r{number}"]) for number in range(count))


def one_recipient(count: int) -> Mapping[str, bytes]:
    return named([pack(0, own=["r"]), *(pack(number, line="Legal") for number in range(1, count))])


def all_unknown(count: int) -> Mapping[str, bytes]:
    return named(pack(number, readers=[f"x{number}"], own=[f"r{number}"]) for number in range(count))


def all_clashing(count: int) -> Mapping[str, bytes]:
    return named(pack(number, own=["r"]) for number in range(count))


def waiting_in_turn(count: int) -> Mapping[str, bytes]:
    """Each for the one after it; the last is broken."""
    files = [pack(number, readers=[f"r{number + 1}"], own=[f"r{number}"]) for number in range(count)]
    return named([*files, pack(count, readers=[], own=[f"r{count}", f"r{count}"])])


def one_large(count: int) -> Mapping[str, bytes]:
    return named([pack(0, own=["r"], objects=count)])


def one_with_many_recipients(count: int) -> Mapping[str, bytes]:
    names = [f"r{number}" for number in range(count)]
    return named([pack(0, own=names, readers=names)])


def one_with_all_unknown(count: int) -> Mapping[str, bytes]:
    return named([pack(0, readers=[f"x{number}" for number in range(count)])])


def calls(work: Callable[[], object]) -> int:
    """Of Python functions and of those written in C."""
    found = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal found
        found += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize(
    "files",
    [
        own_recipients,
        one_recipient,
        all_clashing,
        all_unknown,
        waiting_in_turn,
        one_large,
        one_with_many_recipients,
        one_with_all_unknown,
    ],
)
def test_twice_as_much_takes_twice_as_many_calls(files: Callable[[int], Mapping[str, bytes]]) -> None:
    read(files(20))
    with patch.object(references, "MAX_COMPARED", 2_000):
        few, many = (calls(partial(read, files(count))) for count in (200, 400))
    assert few > 200
    assert many < 2.1 * few


def kept_bytes(files: Mapping[str, bytes]) -> tuple[int, int]:
    """While reading, and after it."""
    gc.collect()
    tracemalloc.start()
    try:
        desired = read(files)
        gc.collect()
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(desired.packs) == len(files) - 1
    return most, kept


def test_each_pack_takes_the_same_memory_however_many_there_are() -> None:
    read(own_recipients(400))
    few, many = kept_bytes(own_recipients(200)), kept_bytes(own_recipients(400))
    for one, other in zip(few, many, strict=True):
        assert abs(other / 400 - one / 200) < 0.1 * one / 200


def thresholds_while(read_all: Callable[[], Desired]) -> tuple[int, int, int]:
    found: list[tuple[int, int, int]] = []

    def look(_phase: str, _info: object) -> None:
        found.append(gc.get_threshold())

    gc.callbacks.append(look)
    try:
        read_all()
    finally:
        gc.callbacks.remove(look)
    return found[0]


@pytest.fixture
def _as_python_starts() -> Iterator[None]:
    """The tests as a whole look for garbage less often."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_python_starts")
def test_nothing_is_looked_through_again_and_again_while_packs_are_read() -> None:
    before = gc.get_threshold()
    young, middle, old = thresholds_while(lambda: read(own_recipients(200)))
    assert (young, middle) == before[:2]
    assert old > 1_000 * before[2]
    assert gc.get_threshold() == before


def test_the_collector_is_as_it_was_also_after_a_failure_and_after_two_at_once() -> None:
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), keeping_all():
        raise RuntimeError
    assert gc.get_threshold() == before
    both = Barrier(2)

    def hold() -> None:
        with keeping_all():
            both.wait()
        both.wait()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(hold), pool.submit(hold)]:
            each.result()
    assert gc.get_threshold() == before
