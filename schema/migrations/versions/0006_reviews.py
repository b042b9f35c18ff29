"""Who stands behind a change: plans that reviewers were shown, pull requests and approvals."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("history is never thrown away; restore a backup of the database instead")
