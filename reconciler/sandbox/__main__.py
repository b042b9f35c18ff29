"""`python -m reconciler.sandbox`: one sandbox in the foreground, until SIGTERM or SIGINT."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from reconciler.sandbox import Sandbox, Seed, SeedError
from reconciler.sandbox.server import LOG_CAPACITY
from reconciler.sandbox.state_file import StateFileError


def main(arguments: list[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    try:
        seed = Seed.from_yaml(options.seed.read_text(encoding="utf-8")) if options.seed else Seed.example()
        sandbox = Sandbox(seed, state_file=options.state, log_capacity=options.log_capacity)
    except (SeedError, StateFileError, OSError, UnicodeDecodeError) as error:
        print(f"sandbox: {error}", file=sys.stderr)  # noqa: T201 (this is a command)
        return 1
    try:
        asyncio.run(_serve(sandbox, options.host, options.port, options.port_file))
    except OSError as error:
        print(f"sandbox: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconciler.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--seed", type=Path, help="YAML file to start from (default: the example company)")
    parser.add_argument("--state", type=Path, help="file to keep the state in between runs")
    parser.add_argument("--port-file", type=Path, help="file to write the port to once the sandbox listens")
    parser.add_argument("--log-capacity", type=int, default=LOG_CAPACITY, help="requests the log holds (%(default)s)")
    return parser


async def _serve(sandbox: Sandbox, host: str, port: int, port_file: Path | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with sandbox.serve(host, port) as url:
        if port_file is not None:
            written = port_file.with_name(f".{port_file.name}")
            written.write_text(url.rpartition(":")[2], encoding="utf-8")
            written.replace(port_file)
        print(f"sandbox ready at {url}", flush=True)  # noqa: T201
        await stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
