"""A process that puts, to be killed or to run beside others.

    python -m tests.adapters.git.storing_process many FOLDER REVISION FIRST COUNT
    python -m tests.adapters.git.storing_process points FOLDER LOG

`points` takes lines `REPOSITORY N MODE` and answers each with how the process ended: the Nth git is not run any more
(`before`), or was run (`after`), when the process is killed. It forks, as starting Python takes longer than a put.
"""

import asyncio
import os
import sys
from pathlib import Path

from reconciler.adapters.git.storing import GitPackStore
from reconciler.ports.pack_store import PackStoreError, Put

FIRST = Put({"sharepacks/Köln/q1 neu.yaml": b"one\n", "sharepacks/sales/q1.yaml": b"two\n"}, "First", "Rita <r@x>")


async def many(folder: Path, first: int, count: int) -> None:
    store = GitPackStore(folder)
    names = range(first, first + count)
    puts = (Put({f"sharepacks/n {number}.yaml": b"%d" % number}, f"Put {number}", "Rita <r@x>") for number in names)
    print(*(stored.commit for stored in await asyncio.gather(*map(store.put, puts))))


def points() -> None:
    for line in sys.stdin:
        root, number, mode = line.rstrip("\n").rsplit(" ", 2)
        child = os.fork()
        if child == 0:
            os.environ |= {"KILL_AT": number, "KILL_MODE": mode, "KILL_COUNT": f"{root}.count"}
            Path(f"{root}.count").write_text("0")
            try:
                asyncio.run(GitPackStore(Path(root) / "sharepacks").put(FIRST))
            except PackStoreError as error:
                print(error, file=sys.stderr)
                os._exit(1)
            os._exit(0)
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "many":
        asyncio.run(many(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
    else:
        points()
