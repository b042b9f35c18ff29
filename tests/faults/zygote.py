"""Processes that are there at once: one that has everything imported, and forks a worker for each connection.

Importing takes seconds, forking milliseconds. It forks before it has any thread or event loop. A connection gets one
job as a line of JSON, and answers lines: the process id, what the worker tells, each time it was stopped, how it ended.
"""

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1


def main() -> NoReturn:
    die_with_parent()
    preload()
    gc.freeze()
    # Nobody waits for those who wait for the workers.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listening.getsockname()[1], flush=True)
    while True:
        connection, _ = listening.accept()
        assert threading.active_count() == 1
        if os.fork() == 0:
            listening.close()
            supervise(connection)
        connection.close()


def preload() -> None:
    import reconciler.adapters  # noqa: PLC0415 - here and nowhere else: the test imports this module too
    import reconciler.packs  # noqa: PLC0415
    import reconciler.stages  # noqa: PLC0415

    for package in (reconciler.adapters, reconciler.packs, reconciler.stages):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("tests.faults.child")


def supervise(connection: socket.socket) -> NoReturn:
    """Forks the worker and tells of it. A process of its own: the zygote has others to look after."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("r", encoding="utf-8") as lines:
        text = lines.readline()
    pid = os.fork()
    if pid == 0:
        run(text, connection)
    tell(connection, {"pid": pid})
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        tell(connection, {"stopped": os.WSTOPSIG(status)})
    tell(connection, {"ended": os.waitstatus_to_exitcode(status)})
    os._exit(0)


def run(text: str, connection: socket.socket) -> NoReturn:
    die_with_parent()
    code = 1
    try:
        tell(connection, {"report": reported(text, connection)})
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was, the test is to see it
        tell(connection, {"failure": traceback.format_exc()})
    finally:
        os._exit(code)


def reported(text: str, connection: socket.socket) -> dict[str, Any]:
    import asyncio  # noqa: PLC0415 - imported already by now

    from tests.faults.child import carry_out  # noqa: PLC0415
    from tests.faults.job import Job  # noqa: PLC0415

    return asyncio.run(carry_out(Job.from_json(text), partial(tell, connection))).to_json()


def tell(connection: socket.socket, message: Mapping[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def die_with_parent() -> None:
    """Linux ends it with its parent, so that a killed test run leaves nothing behind."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
