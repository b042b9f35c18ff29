"""Processes that are there at once: one that has everything imported, and forks a worker for each connection.

Importing takes seconds, forking milliseconds. It forks before it has any thread or event loop. A connection gets one
job as a line of JSON, and answers lines: the process id, what the worker tells, each time it was stopped, how it ended.
"""

import asyncio
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import selectors
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
    # Workers end before there is anything to collect; looking for it, they would copy what they share.
    gc.disable()
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    ended = _told_of_children()
    print(listening.getsockname()[1], flush=True)
    waiting = selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ)
    waiting.register(ended, selectors.EVENT_READ)
    connections: dict[int, socket.socket] = {}
    while True:
        for key, _ in waiting.select():
            if key.fileobj is listening:
                connection, _ = listening.accept()
                connections[start(connection)] = connection
            else:
                ended.recv(4096)
        tell_of_children(connections)


def preload() -> None:
    for name in ("reconciler.adapters", "reconciler.packs", "reconciler.stages"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    importlib.import_module("tests.faults.child")
    # What is known to be no mapping: otherwise each worker finds it out again.
    for kind in object.__subclasses__():
        issubclass(kind, Mapping)


def _told_of_children() -> socket.socket:
    """Can be read when a child has stopped or ended."""
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading


def start(connection: socket.socket) -> int:
    with connection.makefile("r", encoding="utf-8") as lines:
        text = lines.readline()
    assert threading.active_count() == 1
    pid = os.fork()
    if pid == 0:
        run(text, connection)
    tell(connection, {"pid": pid})
    return pid


def tell_of_children(connections: dict[int, socket.socket]) -> None:
    while connections:
        pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            return
        if os.WIFSTOPPED(status):
            tell(connections[pid], {"stopped": os.WSTOPSIG(status)})
        else:
            with connections.pop(pid) as connection:
                tell(connection, {"ended": os.waitstatus_to_exitcode(status)})


def run(text: str, connection: socket.socket) -> NoReturn:
    die_with_parent()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        tell(connection, {"report": reported(text, connection)})
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was, the test is to see it
        tell(connection, {"failure": traceback.format_exc()})
    finally:
        os._exit(code)


def reported(text: str, connection: socket.socket) -> dict[str, Any]:
    # Long since imported; the test imports this module too, and has no use for them.
    from tests.faults.child import carry_out  # noqa: PLC0415
    from tests.faults.job import Job  # noqa: PLC0415

    return asyncio.run(carry_out(Job.from_json(text), partial(tell, connection))).to_json()


def tell(connection: socket.socket, message: Mapping[str, Any]) -> None:
    try:
        connection.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        # The test has gone away; the worker goes on until it is killed or has ended.
        return


def die_with_parent() -> None:
    """Linux ends it with its parent, so that a killed test run leaves nothing behind."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
