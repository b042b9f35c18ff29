"""Packs that are handed in, keys to the API, what happened in order, and finding who could read what at any time."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("history is never thrown away; restore a backup of the database instead")
