"""`sharepack` without the seconds its imports take: a process that has imported everything forks for each command.

`serving` gives the path of a command that behaves as the installed one: it hands its arguments, environment, folder and
streams to the server over a socket, and ends as the forked child ended."""

import array
import json
import os
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
from pathlib import Path
from typing import Any, Final

_TOP: Final = Path(__file__).parent.parent.parent
#: Begins as a shell script, since the path of a Python may have a space in it.
_CLIENT: Final = """\
#!/bin/sh
'''exec' {python} -IS "$0" "$@"
' '''
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
streams = array.array("i", [0, 1, 2])
server.sendmsg([len(asked).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
server.sendall(asked)
sys.exit(int(server.recv(16) or b"70"))
"""


@contextmanager
def serving() -> Iterator[Path]:
    # A socket's path is at most 107 bytes long, and those of tests are longer.
    folder = Path(tempfile.mkdtemp(prefix="sharepack-"))
    address, command = folder / "s", folder / "sharepack"
    command.write_text(_CLIENT.format(python=shlex.quote(sys.executable), address=str(address)), encoding="utf-8")
    command.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(_TOP)}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.workflows.forked", str(address)],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield command
    finally:
        server.kill()
        server.communicate()
        shutil.rmtree(folder)


def _serve(address: str) -> None:
    from reconciler.cli import COMMANDS, main  # noqa: PLC0415 - here, so that tests can import this module for nothing

    _import_all(set(COMMANDS))
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
            _answer(client, main)
        client.close()


def _import_all(commands: set[str]) -> None:
    import importlib  # noqa: PLC0415 - as above

    for name in ("pr", "apply", "status", "history"):
        assert name in commands
        importlib.import_module(f"reconciler.cli.{name}")
    for name in ("databricks.platform", "git.source", "github.pull_requests", "postgres.doorbell", "postgres.ledger"):
        importlib.import_module(f"reconciler.adapters.{name}")
    for name in ("cli.wording", "cli.reviewing", "render.html", "adapters.postgres.migrate"):
        importlib.import_module(f"reconciler.{name}")


def _answer(client: socket.socket, main: Any) -> None:
    header, control, _flags, _from = client.recvmsg(4, socket.CMSG_SPACE(3 * 4))
    streams = array.array("i")
    streams.frombytes(control[0][2])
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
    asked = b""
    while len(asked) < int.from_bytes(header, "big"):
        asked += client.recv(65_536)
    arguments, environment, folder = json.loads(asked)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    code = 70
    try:
        main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except BaseException:  # noqa: BLE001 - told as Python itself would
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        client.sendall(str(code).encode())
        os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])
