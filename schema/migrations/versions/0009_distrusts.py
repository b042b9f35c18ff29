"""Workspaces whose `updated_at` does not tell when a share was changed."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("history is never thrown away; restore a backup of the database instead")
