"""Plans in which fields are contested or the pack is suspended."""

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.core.actual import Found
from reconciler.core.holds import EXISTENCE, Contest, Holds, Suspension, declared_digest
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import DriftPolicy
from reconciler.core.plan import Plan
from reconciler.core.resource import Resource
from tests.render.plans import METASTORE, NOW, PARTNER, SALES, WORKSPACE, Scene, plan_of

PACK = PackId.of("Sales Operations", "Sales Data Q1 2024")
SINCE = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
UNTIL = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
SUSPENSION = Suspension("pat@example.com", "the partner moves house", SINCE, datetime(2026, 12, 1, tzinfo=UTC))
OTHER_SHARE = replace(SALES, name="other_share", recipients=frozenset())


def contest(field: str, wanted: Resource, actor: str = "ann@example.com") -> Contest:
    return Contest(field, actor, SINCE, UNTIL, declared_digest(wanted))


CONTESTS = {
    share_key("sales_q1_share", WORKSPACE): (
        contest("comment", SALES),
        contest("recipients[stranger-x]", SALES, "bob@example.com"),
        contest("owner", SALES),
    ),
    share_key("other_share", WORKSPACE): (contest("comment", OTHER_SHARE, ""),),
    recipient_key("sales-analyst", WORKSPACE): (contest("comment", PARTNER),),
    recipient_key("emea-lake", WORKSPACE): (contest(EXISTENCE, METASTORE),),
}
#: A share of which some is contested and some is put back, others of which all is, and one that keeps being deleted.
CONTESTED = Scene(
    [PARTNER, METASTORE, SALES, OTHER_SHARE],
    [PARTNER, METASTORE, SALES, OTHER_SHARE],
    [
        replace(PARTNER, comment="by hand"),
        replace(
            SALES,
            comment="by hand",
            recipients=frozenset({"sales-analyst", "stranger-x"}),
            objects=frozenset(sorted(() if SALES.objects is UNMANAGED else SALES.objects, key=str)[:1]),
        ),
        replace(OTHER_SHARE, comment="by hand"),
    ],
    told={
        "sales_q1_share": Found(SALES, owner="ops@example.com", updated_by="eve@example.com", updated_at=NOW - 60_000),
        "other_share": Found(SALES, owner="ops@example.com", updated_by="eve@example.com", updated_at=NOW - 60_000),
    },
    holds=Holds(contests=CONTESTS),
)
#: What a commit takes away goes; what a commit changes otherwise, and what was done by hand, stays.
SUSPENDED = Scene(
    [PARTNER, METASTORE, replace(SALES, recipients=frozenset()), replace(OTHER_SHARE, comment="by the file")],
    [PARTNER, METASTORE, SALES, OTHER_SHARE],
    [replace(PARTNER, comment="by hand"), METASTORE, SALES, OTHER_SHARE],
    holds=Holds(suspensions={PACK: SUSPENSION}),
)


def held_scenes() -> dict[str, Plan]:
    return {
        "contested": plan_of(CONTESTED),
        "contested_and_reported": plan_of(replace(CONTESTED, drift=DriftPolicy.REPORT)),
        "suspended": plan_of(SUSPENDED),
    }
