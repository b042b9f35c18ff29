"""`sharepack` without the seconds its imports take: a process that has imported everything forks for each command.

`serving` gives commands that behave as the installed one: they hand their arguments, environment, folder and streams to
the server over a socket, pass signals on, and end as the forked child ended. A child is killed with its command.
"""

import array
import ctypes
import fcntl
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

_TOP: Final = Path(__file__).parents[1]
_PR_SET_PDEATHSIG: Final = 1
_LENGTH: Final = 4
#: Begins as a shell script, since the path of a Python may have a space in it. The server answers two lines: the number
#: of the process, and how it ended. What it imports is built in: `socket`, `json` and `signal` would take twice as long
#: as the rest of it.
_CLIENT: Final = """\
#!/bin/sh
'''exec' {python} -IS "$0" "$@"
' '''
import _signal, _socket, marshal, os, sys
passed_on = [_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP]
_signal.pthread_sigmask(_signal.SIG_BLOCK, passed_on)
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect({address!r})
asked = marshal.dumps([{program!r}, sys.argv[1:], dict(os.environ), os.getcwd()])
streams = b"".join(each.to_bytes(4, sys.byteorder) for each in (0, 1, 2))
server.sendmsg([len(asked).to_bytes({length}, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
server.sendall(asked)
answers = open(server.fileno(), closefd=False)
pid = int(answers.readline())
last = []
def pass_on(number, _frame):
    last.append(number)
    os.kill(pid, number)
for number in passed_on:
    _signal.signal(number, pass_on)
_signal.pthread_sigmask(_signal.SIG_UNBLOCK, passed_on)
code = answers.readline()
if not code and last:
    _signal.signal(last[-1], _signal.SIG_DFL)
    os.kill(os.getpid(), last[-1])
sys.exit(int(code or 70))
"""


@dataclass(frozen=True, slots=True)
class Forking:
    folder: Path

    @property
    def sharepack(self) -> str:
        """Behaves as `python -m reconciler`."""
        return self._command("sharepack", "")

    def running(self, program: str) -> str:
        """Behaves as `python PROGRAM`."""
        return self._command(Path(program).stem, program)

    def _command(self, name: str, program: str) -> str:
        command = self.folder / name
        if not command.exists():
            filled = {"address": str(self.folder / "s"), "program": program, "length": _LENGTH}
            command.write_text(_CLIENT.format(python=shlex.quote(sys.executable), **filled), encoding="utf-8")
            command.chmod(0o755)
        return str(command)


@contextmanager
def serving() -> Iterator[Forking]:
    # A socket's path is at most 107 bytes long, and those of tests are longer.
    folder = Path(tempfile.mkdtemp(prefix="sharepack-"))
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(_TOP)}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.forked", str(folder / "s")],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield Forking(folder)
    finally:
        server.kill()
        server.communicate()
        shutil.rmtree(folder)


def _serve(address: str) -> NoReturn:
    _end_with_parent()
    _import_all()
    # Or every child would soon have a copy of all there is.
    gc.collect()
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    # Children are not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _answer(client)
        client.close()


def _import_all() -> None:
    reconciler = importlib.import_module("reconciler")
    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _end_with_parent() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with(client: socket.socket) -> None:
    """When whoever asked is gone, the kernel kills this process: a command that is killed does nothing more."""
    if sys.platform.startswith("linux"):
        fcntl.fcntl(client, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(client, 10, signal.SIGKILL)  # 10: F_SETSIG
        fcntl.fcntl(client, fcntl.F_SETFL, fcntl.fcntl(client, fcntl.F_GETFL) | os.O_ASYNC)


def _answer(client: socket.socket) -> NoReturn:
    _end_with_parent()
    header, control, _flags, _from = client.recvmsg(_LENGTH, socket.CMSG_SPACE(3 * 4))
    streams = array.array("i")
    streams.frombytes(control[0][2])
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    asked = b""
    while len(asked) < int.from_bytes(header, "big"):
        asked += client.recv(65_536)
    program, arguments, environment, folder = marshal.loads(asked)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # Made for the streams of the server, which were others.
    sys.stdout.reconfigure(line_buffering=os.isatty(1) or "PYTHONUNBUFFERED" in environment)  # type: ignore[union-attr]
    client.sendall(f"{os.getpid()}\n".encode())
    _end_with(client)
    code = _run(program, arguments)
    client.sendall(f"{code}\n".encode())
    os._exit(0)


def _run(program: str, arguments: list[str]) -> int:
    code = 0
    sys.argv = [program or "sharepack", *arguments]
    try:
        runpy.run_path(program, run_name="__main__") if program else runpy.run_module("reconciler", run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except BaseException:  # noqa: BLE001 - told as Python itself would
        code = 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code


if __name__ == "__main__":
    _serve(sys.argv[1])
