"""Lets Alembic write the SQL of the missing migrations. It runs nothing: its own ways in need another driver."""

import io
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory


def migration_sql(folder: Path, current: str | None) -> str:
    """The SQL of all revisions after `current` (None: of all), which also notes in the version table what was done."""
    output = io.StringIO()
    config = Config(output_buffer=output)
    # A percent sign would start an interpolation.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def upgrades(revision: str, _context: object) -> list[MigrationStep]:
        # What `alembic.command.upgrade` itself passes; there is no public way to catch its output.
        return list(script._upgrade_revs("head", revision))

    with EnvironmentContext(config, script, fn=upgrades, as_sql=True, starting_rev=current, destination_rev="head"):
        script.run_env()
    return output.getvalue()
