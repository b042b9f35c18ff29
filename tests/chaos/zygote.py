"""Starts `sharepack` processes without the seconds their imports take: everything is imported once, then forked. Reads
one JSON order a line and answers each with one; children end with it, and it ends with its standard input.

    {"start": [ARGUMENT, …], "environment": {…}, "log": PATH, "folder": PATH}  →  {"pid": N}
    {"ended": true}  →  {"ended": [[PID, EXIT STATUS], …]}      negative: the signal that ended it
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, Final

import asyncpg  # noqa: F401 - imported for the children, like the rest

import reconciler.adapters.azure_queue.doorbell
import reconciler.adapters.databricks.platform
import reconciler.adapters.git.source
import reconciler.adapters.postgres.doorbell
import reconciler.adapters.postgres.leadership
import reconciler.adapters.postgres.ledger
import reconciler.adapters.postgres.migrate
import reconciler.cli.apply
import reconciler.cli.rotate
import reconciler.daemon.health
import reconciler.daemon.loop
import reconciler.wiring
from reconciler.cli import main
from reconciler.stages.workers import Workforce

#: Seconds. The one thing that is not as it comes: with a minute between sweeps a run would see few of them.
SWEEP_EVERY: Final = 5.0
_real_workforce = reconciler.wiring.workforce


def _sweeping(*arguments: Any) -> Workforce:
    force = _real_workforce(*arguments)
    force.sweep_every = SWEEP_EVERY
    return force


# Before the commands import it by name.
reconciler.wiring.workforce = _sweeping  # type: ignore[assignment]

import reconciler.cli.daemon  # noqa: E402
import reconciler.cli.worker  # noqa: E402


def _serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        answer = {"pid": _start(order)} if "start" in order else {"ended": _ended()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _start(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become(order)
        main(order["start"])
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 - a process ends with what it has to say, whatever that is
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _become(order: dict[str, Any]) -> None:
    _end_with_parent()
    with Path(os.devnull).open("rb") as nothing, Path(order["log"]).open("ab") as log:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - for the life of the process
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])


def _end_with_parent() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG


def _ended() -> list[list[int]]:
    ended: list[list[int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not pid:
            return ended
        ended.append([pid, os.waitstatus_to_exitcode(status)])


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    _serve()
