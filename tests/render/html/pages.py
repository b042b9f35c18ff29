"""The plans whose pages are looked at: a reviewer's ordinary one, a wide one, hostile names, and 300 packs."""

from dataclasses import replace

from reconciler.core.plan import Plan
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.share import Share, SharedObject
from tests.render.plans import METASTORE, PARTNER, Scene, plan_of, table

AUDITOR = Recipient("auditor", TokenSharing(), "audit@example.com", frozenset({"203.0.113.7/32"}))
#: Control characters, both kinds of bidirectional override, and a lone surrogate.
INVISIBLE = "a\x1b[31mb\u202ec\u2066d\x00e\ud800f\u200bg"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><style>*{display:none}</style>",
    "</style><script>alert(2)</script>",
    "</title></head><body onload=alert(3)>",
    "<!-- --><![CDATA[",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "javascript:alert(4) https://evil.example/x @everyone [x](https://evil.example)",
    INVISIBLE,
    "x" * 300,
)


def ordinary() -> Plan:
    """Three recipients, two shares, six objects: one recipient comes, one goes, an object comes and one goes."""
    sales = Share("sales_share", "Sales", _tables("sales", "orders", "customers", "refunds"), _names("sales-analyst"))
    audit = Share("audit_share", "Audit", _tables("audit", "ledger", "journal", "postings"), _names("auditor"))
    wanted = replace(
        sales,
        objects=_tables("sales", "orders", "customers", "returns"),
        recipients=_names("sales-analyst", "emea-lake"),
    )
    audited = replace(
        audit, objects=_tables("audit", "ledger", "journal"), recipients=_names("emea-lake", "sales-analyst")
    )
    people = [PARTNER, METASTORE, AUDITOR]
    return plan_of(Scene([*people, wanted, audited], [*people, sales, audit], [*people, sales, audit]))


def wide() -> Plan:
    """Sixty objects of three schemas, ten of them new, six gone."""
    before, after = range(6, 50), range(60)
    share = Share("warehouse_share", "", _numbered(after), _names("sales-analyst", "emea-lake"))
    second = Share("extra_share", "", _numbered(range(50, 66)), _names("auditor"))
    people = [PARTNER, METASTORE, AUDITOR]
    return plan_of(
        Scene(
            [*people, share, replace(second, objects=_numbered(range(50, 60)))],
            [*people, replace(share, objects=_numbered(before)), second],
            [*people, replace(share, objects=_numbered(before)), second],
        )
    )


def many(packs: int = 300, tables: int = 20) -> Plan:
    """Each pack brings a recipient and a share; every third one lets the auditor of another pack in as well."""
    auditors = Scene([AUDITOR], [AUDITOR], [AUDITOR], path="sharepacks/auditors.yaml", project="Auditors")
    return plan_of(auditors, *(_pack_of_many(number, tables) for number in range(packs - 1)))


def hostile() -> Plan:
    """Every free text of a pack is hostile, and every name as well, as if nobody had checked them."""
    scenes = [_hostile_scene(index, words) for index, words in enumerate(HOSTILE)]
    plan = plan_of(*scenes)
    packs = [
        replace(pack, warnings=(words,), path=f"sharepacks/{words}.yaml")
        for pack, words in zip(plan.packs, HOSTILE, strict=False)
    ]
    return replace(plan, packs=(*packs, *plan.packs[len(packs) :]))


def _hostile_scene(index: int, words: str) -> Scene:
    recipient = Recipient(
        f"r{index}{words}",
        TokenSharing(),
        f"{words}@example.com",
        comment=words,
        properties=frozenset({(words, words)}),
    )
    objects = frozenset(
        {table(f"c.s.t{index}{words}"), replace(table(f"c.s.u{index}"), shared_as=words, comment=words)}
    )
    share = Share(f"s{index}{words}", words, objects, frozenset({recipient.name}), owner=words)
    by_hand = replace(share, comment=f"{words} by hand", recipients=frozenset({f"hand{index}{words}"}))
    other = replace(share, name=f"o{index}{words}")
    return Scene(
        [recipient, share, other],
        [share],
        [by_hand, other],
        path=f"sharepacks/{index}{words}.yaml",
        project=f"Project {index} {words}",
    )


def _pack_of_many(number: int, tables: int) -> Scene:
    partner = replace(PARTNER, name=f"partner-{number:03}", email=f"data@partner-{number:03}.com")
    readers = _names(partner.name, *(["auditor"] if number % 3 == 0 else []))
    objects = frozenset(table(f"prod_catalog.line_{number:03}.table_{each:02}") for each in range(tables))
    return Scene(
        [partner, Share(f"share_{number:03}", f"Data of line {number}", objects, readers)],
        path=f"sharepacks/line_{number // 10:02}/pack_{number:03}.yaml",
        project=f"Project {number:03}",
    )


def _tables(schema: str, *names: str) -> frozenset[SharedObject]:
    return frozenset(table(f"prod_catalog.{schema}.{name}") for name in names)


def _numbered(numbers: range) -> frozenset[SharedObject]:
    return frozenset(
        table(f"prod_catalog.{('core', 'finance', 'sales')[each % 3]}.table_{each:02}") for each in numbers
    )


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)
