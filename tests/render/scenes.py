"""The plans whose renderings are kept as golden files, by name."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from reconciler.core.guard import Attestation
from reconciler.core.pack import Strategy
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem, Where
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.share import ObjectType, Share
from tests.render.held_scenes import held_scenes
from tests.render.plans import METASTORE, PARTNER, SALES, UNCOMMITTED, Scene, plan_of, table
from tests.render.whole_scenes import whole_scenes

_BY_HAND = replace(
    SALES,
    comment="changed",
    objects=frozenset({table("prod_catalog.sales.transactions")}),
    recipients=frozenset({"sales-analyst", "stranger-x"}),
)
_WANTED = replace(
    SALES,
    comment="Q1 sales data with refunds",
    objects=frozenset(
        {
            table("prod_catalog.sales.transactions"),
            table("prod_catalog.sales.customers"),
            table("prod_catalog.sales.refunds"),
            table("prod_catalog.sales.revenue_by_country", ObjectType.VIEW),
            table("prod_catalog.marketing", ObjectType.SCHEMA),
        }
    ),
    recipients=frozenset({"sales-analyst", "emea-lake"}),
)
_OPEN = Recipient("walk-in", TokenSharing(), "walk-in@partner.com")
_NOT_COMMITTED = Attestation("these files are not committed", "commit them and apply the commit")
_BIG = Share("big_share", "Everything", frozenset(table(f"prod_catalog.sales.t{number:03}") for number in range(40)))


@cache
def scenes() -> Mapping[str, Plan]:
    """Made once: the lists of cases of many test files ask for them."""
    return planned()


def planned() -> dict[str, Plan]:
    return {
        "new": plan_of(Scene([PARTNER, METASTORE, _OPEN, SALES])),
        "changed": plan_of(
            Scene(
                [PARTNER, METASTORE, _WANTED],
                [PARTNER, METASTORE, SALES],
                [PARTNER, METASTORE, _BY_HAND],
                stated=Strategy.NEW,
                region="AM",
                allowed=frozenset({"whole-schema:share/sales_q1_share/sales-analyst"}),
            )
        ),
        "uncommitted": plan_of(
            Scene([PARTNER], [PARTNER, SALES], [SALES], revision=UNCOMMITTED, attestation=_NOT_COMMITTED)
        ),
        "removed": plan_of(Scene([], [PARTNER, SALES, METASTORE], [SALES, METASTORE], is_removed=True)),
        "in_the_way": plan_of(
            Scene(
                [PARTNER, METASTORE, SALES],
                [METASTORE],
                [replace(SALES, comment="theirs"), PARTNER],
                unreadable=[METASTORE],
                adopt=frozenset({"sales-analyst"}),
                path="sharepacks/sales/q1.xlsx",
                sheets=True,
            )
        ),
        "big": plan_of(Scene([_BIG])),
        "quiet": plan_of(
            Scene([SALES], [SALES], [SALES]),
            problems=(Problem(Where("sharepacks/legal/x.yaml", 3, 1), "key-missing", "recipient has no name"),),
        ),
        "lender": plan_of(
            Scene([PARTNER], project="Partners", path="sharepacks/sales/partners.yaml"),
            Scene([SALES]),
        ),
        **whole_scenes(),
        **held_scenes(),
    }
