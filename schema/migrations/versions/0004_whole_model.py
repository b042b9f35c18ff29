"""All that Delta Sharing can express, renames in place, and what plans saw go unread."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("history is never thrown away; restore a backup of the database instead")
