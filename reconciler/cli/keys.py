"""`sharepack keys`: who may call the HTTP API. A key is shown once, when it is made; only its hash is kept."""

import secrets
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import click

from reconciler.cli.session import actor, run
from reconciler.cli.terminal import Failure, mention, say, say_lines
from reconciler.cli.until import WhenError, until, zone_named
from reconciler.core.api_key import ID_LENGTH, SECRET_BYTES, id_meant, key_of, read_key
from reconciler.core.permits import Right
from reconciler.ports.keyring import ApiKey
from reconciler.render.keys_text import ends_words, keys_json, keys_lines, lines_words
from reconciler.render.lines import Line, Span, Tone, line
from reconciler.settings import Settings
from reconciler.wiring import Ports, portal

#: Longer than that nobody remembers who holds it.
LONGEST: Final = timedelta(days=730)
_LONGEST_NAME: Final = 100
#: No letter case to mind when an id is read out; 36⁸ of them.
_ID_ALPHABET: Final = string.ascii_lowercase + string.digits


@click.group(name="keys")
def command() -> None:
    """Make, list and revoke the keys of the HTTP API.

    \b
    Examples:
      sharepack keys create portal --write --line "Sales Operations" --expires 90d
      sharepack keys list
      sharepack keys revoke a1b2c3d4
    """


@command.command()
@click.argument("name")
@click.option("--read", "may_read", is_flag=True, help="It may see packs, and no more: the default.")
@click.option("--write", "may_write", is_flag=True, help="It may hand in packs as well.")
@click.option("--line", "lines", multiple=True, metavar="LINE", help="A business line it is for; as often as needed.")
@click.option("--all-lines", is_flag=True, help="It is for all business lines, also those to come.")
@click.option("--expires", metavar="WHEN", help="90d, 2w, a day, or a time; without it, when it is revoked.")
@click.option("--timezone", metavar="ZONE", help="Such as Europe/Berlin, for a WHEN without an offset. Default: here.")
def create(
    *,
    name: str,
    may_read: bool,
    may_write: bool,
    lines: tuple[str, ...],
    all_lines: bool,
    expires: str | None,
    timezone: str | None,
) -> None:
    """Make a key with the name NAME, which says who holds it, and print it: this once, and alone on standard output.

    Requests show it as `X-API-Key: KEY` or `Authorization: Bearer KEY`. Only its hash is kept: who loses a key gets
    another one.

    \b
    Examples:
      sharepack keys create portal --write --line "Sales Operations" --expires 90d
      sharepack keys create auditor --all-lines > auditor.key
    """
    if may_read and may_write:
        raise click.UsageError("--read or --write: who may hand in packs sees them too")
    if bool(lines) == all_lines:
        raise click.UsageError("say what it is for: --line LINE, as often as needed, or else --all-lines")
    wanted = ApiKey(
        id="".join(secrets.choice(_ID_ALPHABET) for _ in range(ID_LENGTH)),
        name=_plain(name, "NAME"),
        right=Right.WRITE if may_write else Right.READ,
        lines=None if all_lines else tuple(dict.fromkeys(_plain(each, "--line") for each in lines)),
        created_by=actor(),
    )
    made = key_of(wanted.id, secrets.token_bytes(SECRET_BYTES))
    key, unknown = run(lambda ports, _settings: _create(ports, wanted, made.digest, expires, timezone))
    mention(tuple(_told(key, unknown)))
    say(f"{made.text}\n")


@command.command(name="list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, for programs.")
def list_(*, form: str) -> None:
    """List all keys, newest first, with those that have ended or were revoked.

    \b
    Examples:
      sharepack keys list
      sharepack keys list --format json
    """
    keys, now = run(_listed)
    if form == "json":
        say(keys_json(keys, now))
    else:
        say_lines(tuple(keys_lines(keys, now)))


@command.command()
@click.argument("key_id", metavar="ID")
def revoke(*, key_id: str) -> None:
    """Revoke the key with this ID for good: the next request that shows it is refused. It stays in the list.

    \b
    Examples:
      sharepack keys revoke a1b2c3d4
    """
    wanted = id_meant(key_id)
    if wanted is None:
        # It is not repeated: it may be part of a key.
        raise Failure(
            "that is not the id of a key: eight letters and digits, such as a1b2c3d4; see `sharepack keys list`"
        )
    say_lines([run(lambda ports, _settings: _revoke(ports, wanted))])


async def _create(
    ports: Ports, wanted: ApiKey, digest: bytes, expires: str | None, timezone: str | None
) -> tuple[ApiKey, tuple[str, ...]]:
    """The key as it is kept, and those of its business lines that nothing is on record of."""
    now = ports.clock.now()
    try:
        zone = zone_named(timezone)
        ends = None if expires is None else until(expires, now, zone, LONGEST, "another key takes its place")
    except WhenError as error:
        raise click.UsageError(f"--expires: {error}") from error
    kept = portal(ports)
    key = replace(wanted, expires_at=ends)
    await kept.keyring.add(key, digest)
    known = {tenancy.name.casefold() for tenancy in await kept.archive.tenants(None)} if key.lines else set()
    return key, tuple(each for each in key.lines or () if each.casefold() not in known)


async def _listed(ports: Ports, _settings: Settings) -> tuple[Sequence[ApiKey], datetime]:
    return await portal(ports).keyring.keys(), ports.clock.now()


async def _revoke(ports: Ports, key_id: str) -> Line:
    keyring = portal(ports).keyring
    found = await keyring.find(key_id)
    if found is None:
        raise Failure(f"there is no key {key_id}; `sharepack keys list` lists them all")
    key, _ = found
    if not await keyring.revoke(key_id, actor()):
        return line(f"Key {key_id} ({key.name}) was revoked before.")
    return line(f"Key {key_id} ({key.name}) is revoked: the next request that shows it is refused.")


def _told(key: ApiKey, unknown: tuple[str, ...]) -> Iterator[Line]:
    """Beside the key itself."""
    deed = "see and hand in packs" if key.right is Right.WRITE else "see packs"
    yield line(f"Key {key.id} ({key.name}) may {deed} of {lines_words(key)}; it {ends_words(key)}.")
    for each in unknown:
        yield line(
            Span(f"Nothing is on record of {each} yet: look whether it is written as in the packs.", Tone.CHANGE)
        )
    yield line("It is shown this once: keep it where only its holder can read it.")


def _plain(text: str, what: str) -> str:
    """In one line, for lists and logs."""
    said = " ".join(text.split())
    if not said or len(said) > _LONGEST_NAME or not said.isprintable():
        raise click.UsageError(f"{what}: write 1 to {_LONGEST_NAME} characters, and none that cannot be seen")
    if read_key(said) is not None:
        raise click.UsageError(f"{what}: that is a key, and would be kept for all to see; name who holds it")
    return said
