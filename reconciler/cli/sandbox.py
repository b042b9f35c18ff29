"""`sharepack sandbox`: a Databricks workspace that runs here, to try things out."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import click

from reconciler.cli.terminal import Failure, say
from reconciler.sandbox import Sandbox, Seed, SeedError

#: The catalogs, schemas and tables that the packs in sharepacks/ share.
SEED = Path(__file__).with_name("demo_seed.yaml")
#: Of the seed's administrator.
TOKEN = "dapi-sandbox-admin"  # noqa: S105 - it opens nothing but a sandbox


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; by default a free one.")
@click.option("--seed", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Catalogs to start with.")
@click.option("--state", type=click.Path(path_type=Path, dir_okay=False), help="File that keeps its state.")
def command(*, port: int, seed: Path | None, state: Path | None) -> None:
    """Run a local server that speaks the Databricks sharing and catalog API, until Ctrl-C.

    It starts with the tables that the example packs share, and forgets everything at its end unless --state names a
    file. Nothing leaves this machine.

    \b
    Examples:
      sharepack sandbox --port 4010
      sharepack sandbox --state .sharepack/sandbox.json
    """
    try:
        sandbox = Sandbox(Seed.from_yaml((seed or SEED).read_text(encoding="utf-8")), state_file=state)
    except (SeedError, OSError, ValueError) as error:
        raise Failure(f"the sandbox cannot start from {seed or SEED}: {error}") from error
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(sandbox, port))
    except OSError as error:
        raise Failure(f"port {port} cannot be used: {error.strerror}; name another with --port") from error


async def _serve(sandbox: Sandbox, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with sandbox.serve(port=port) as url:
        say(f"A workspace is at {url} until Ctrl-C. In another terminal:\n\n")
        say(f"  export DATABRICKS_HOST={url} DATABRICKS_TOKEN={TOKEN}\n  sharepack plan\n\n")
        await stop.wait()
