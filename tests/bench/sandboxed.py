"""`python -m tests.bench.sandboxed`: sandboxes for measuring, in a process of their own, one for each workspace. With
`--filled` they begin with all that the packs declare, as if somebody had applied them; nothing is kept on disk."""

import argparse
import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from reconciler.sandbox import Sandbox, Seed
from reconciler.sandbox.names import key
from reconciler.sandbox.records import Recipient, Share, SharedObject
from reconciler.sandbox.share_objects import own_alias
from reconciler.sandbox.state import State
from reconciler.sandbox.tokens import new_token
from tests.bench.generate import Offer, Pack, Partner, Size, packs, sandbox_seed

CALLER = "bench@sandbox.example"
_START_SECONDS = 120.0


@contextmanager
def sandboxes(folder: Path, size: Size, seed: int, *, is_filled: bool) -> Iterator[tuple[list[str], int]]:
    """Their addresses, in the order of `Size.workspaces`, and their process id."""
    ports = folder / f"ports {size.packs} {is_filled}"
    numbers = ("packs", "recipients", "shares", "objects")
    options = [f"--{name}={getattr(size, name)}" for name in numbers] + (["--filled"] if is_filled else [])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sandboxed", f"--seed={seed}", f"--ports-file={ports}", *options],
        cwd=Path(__file__).parents[2],
    )
    try:
        give_up_at = time.monotonic() + _START_SECONDS
        while not ports.exists():
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("the sandboxes did not start")
            time.sleep(0.02)
        yield ports.read_text(encoding="utf-8").split(), process.pid
    finally:
        process.terminate()
        process.wait()


def fill(states: Sequence[State], size: Size, seed: int) -> None:
    for pack in packs(size, seed):
        state = states[pack.place % len(states)]
        ids = {partner.name: str(uuid5(NAMESPACE_URL, partner.name)) for partner in pack.partners}
        for partner in pack.partners:
            state.put_recipient(_recipient(state, partner, ids[partner.name]))
        for offer in pack.offers:
            state.put_share(_share(state, pack, offer, ids))


def _recipient(state: State, partner: Partner, identity: str) -> Recipient:
    return Recipient(
        id=identity,
        name=partner.name,
        authentication_type="DATABRICKS" if partner.metastore else "TOKEN",
        owner=CALLER,
        comment=partner.comment,
        global_metastore_id=partner.metastore or None,
        sharing_code=None,
        ip_addresses=partner.addresses,
        properties={},
        tokens=() if partner.metastore else (new_token(state, CALLER, None),),
        policies=(),
        stamp=state.created(CALLER),
    )


def _share(state: State, pack: Pack, offer: Offer, ids: dict[str, str]) -> Share:
    return Share(
        name=offer.name,
        owner=CALLER,
        comment=offer.comment,
        storage_root=None,
        objects=tuple(_object(state, name) for name in offer.tables),
        grants={ids[partner.name]: frozenset({"SELECT"}) for partner in pack.partners},
        stamp=state.created(CALLER),
    )


def _object(state: State, name: str) -> SharedObject:
    assert key(name) in state.tables, f"{name} is not in the catalog"
    return SharedObject(
        name=name,
        data_object_type="TABLE",
        alias=own_alias("TABLE", name),
        comment=None,
        partitions=(),
        is_cdf_enabled=None,
        is_history_shared=False,
        start_version=None,
        content=None,
        added_at=state.clock.now(),
        added_by=CALLER,
    )


async def _serve(made: Sequence[Sandbox], ports_file: Path) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as serving:
        urls = [await serving.enter_async_context(each.serve()) for each in made]
        written = ports_file.with_name(f".{ports_file.name}")
        written.write_text(" ".join(urls), encoding="utf-8")
        written.replace(ports_file)
        await stopping.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sandboxed", description=__doc__)
    for name in ("packs", "recipients", "shares", "objects", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--ports-file", type=Path, required=True)
    parser.add_argument("--filled", action="store_true")
    options = parser.parse_args()
    size = Size(options.packs, options.recipients, options.shares, options.objects)
    seed = Seed.from_yaml(sandbox_seed(size.tables))
    made = [Sandbox(seed, log_capacity=1000) for _ in range(size.workspaces)]
    if options.filled:
        fill([each._world.state for each in made], size, options.seed)
    asyncio.run(_serve(made, options.ports_file))


if __name__ == "__main__":
    main()
