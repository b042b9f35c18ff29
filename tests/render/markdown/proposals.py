"""What branches propose, for the tests of what is written into pull requests."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.approval import Approvals, with_approvals
from reconciler.core.key import recipient_key
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem, Severity, Where
from reconciler.core.proposal import CellChange, Proposal, WorkbookChange
from reconciler.core.recipient import OidcSharing, Recipient, TokenSharing
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from tests.render.markdown.attacks import ATTACKS, MARKER
from tests.render.plans import METASTORE, PARTNER, SALES, WORKSPACE, Scene, plan_of, table
from tests.render.scenes import scenes
from tests.render.whole_scenes import POLICY

BASE = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
ARTEFACT = "https://github.example/example/packs/actions/runs/42#artifacts"
EARLIER = (("ab" * 32, "1" * 40), ("cd" * 32, "2" * 40))

_AUDITOR = Recipient("auditor", TokenSharing(), "audit@firm.example", frozenset({"203.0.113.0/24"}))
_LEDGER = Share(
    "ledger_share", "The ledger", frozenset({table("prod.finance.ledger"), table("prod.finance.accounts")}),
    frozenset({"auditor"}),
)  # fmt: skip
_PARTNER_X = Recipient("partner-x", TokenSharing(), "data@partner-x.example")


def proposals() -> dict[str, Proposal]:
    """By the name of their golden file."""
    kept = ("new", "changed", "every_change", "drifted", "in_the_way", "names_and_kinds", "objected", "removed")
    return {
        **{name: Proposal(scenes()[name], BASE, others=12) for name in kept},
        "nothing": Proposal(scenes()["quiet"], BASE),
        "access": access_changes(),
        "held_grant": held_grant(),
        "workbook": workbook(),
        "hostile": hostile(ATTACKS[:54:9]),
    }


def access_changes() -> Proposal:
    """What the issue's own example says: partner-x will be able to read more, auditor loses."""
    objects = {table(f"prod.sales.{name}") for name in ("orders", "customers", "refunds")}
    regions = frozenset({table("prod.sales.regions")})
    sales = Share("sales_share", "Sales", regions, frozenset({"partner-x"}))
    many = frozenset(table(f"prod.{schema}.t{number:02}") for schema in ("a", "b") for number in range(9))
    plan = plan_of(
        Scene(
            [_PARTNER_X, _AUDITOR, replace(sales, objects=regions | objects),
             replace(_LEDGER, recipients=frozenset()), METASTORE, Share("wide", "", many, frozenset({"emea-lake"}))],
            [_PARTNER_X, _AUDITOR, sales, _LEDGER, METASTORE],
            [_PARTNER_X, _AUDITOR, sales, _LEDGER, METASTORE],
        )
    )  # fmt: skip
    (pack,) = plan.packs
    return Proposal(plan, BASE, {pack.pack: "sharepacks/sales/old name.yaml"}, others=1)


def held_grant() -> Proposal:
    """A recipient outside is to read a whole schema, which somebody has to allow by name."""
    schema = Share("sales_share", "", frozenset({table("prod.sales", ObjectType.SCHEMA)}), frozenset({"sales-analyst"}))
    return Proposal(plan_of(Scene([PARTNER, schema])), BASE)


def workbook() -> Proposal:
    plan = plan_of(Scene([PARTNER, SALES], [PARTNER], [PARTNER], path="sharepacks/sales/q1.xlsx", sheets=True))
    cells = (
        CellChange("Recipients", "B2", "D2D", "D2O"),
        CellChange("Shares", "C3", None, "sales-analyst"),
        CellChange("Shares", "D3", "prod.sales.x,prod.sales.y", "prod.sales.x\nprod.sales.y | z"),
        CellChange("Allow", "A2", "delete:share/x", None),
    )
    before = "metadata:\n  requestor: ann@example.com\n  project_name: Q1\n\nrecipient:\n  - name: partner\n"
    after = before.replace("partner", "sales-analyst") + "    type: D2O\n"
    path = "sharepacks/sales/q1.xlsx"
    new = WorkbookChange("sharepacks/sales/new.xlsx", None, (CellChange("Metadata", "A1", None, "Field"),), "", after)
    return Proposal(plan, BASE, workbooks=(WorkbookChange(path, path, cells, before, after), new))


def hostile(texts: Sequence[str] = ATTACKS) -> Proposal:
    """Every text of a plan is an attack, each in every place."""
    packs = [_hostile_scene(number, text) for number, text in enumerate(texts) if len(text) < 10_000]
    severities = [Severity.ERROR, Severity.WARNING] * len(texts)
    problems = tuple(
        Problem(Where(text, 1, 1), text, f"{text} is missing", text, severity, Where(text, sheet=text, cell=text))
        for text, severity in zip(texts, severities, strict=False)
    )
    plan = plan_of(*packs, problems=problems)
    plan = replace(plan, packs=tuple(replace(pack, warnings=(ATTACKS[3], MARKER)) for pack in plan.packs))
    cells = tuple(CellChange(text, text, text, text) for text in texts)
    yaml = "\n".join(texts)
    moved = {pack.pack: ATTACKS[9] for pack in plan.packs[:3]}
    book = WorkbookChange("`</code>|@a.xlsx", None, cells, "", yaml)
    return Proposal(plan, BASE, moved, 1, (book, replace(book, yaml_before=yaml[::-1])))


def _hostile_scene(number: int, text: str) -> Scene:
    recipient = Recipient(f"r{number}{text}", TokenSharing(), text, frozenset({text}), text)
    policy = replace(POLICY, name=text, issuer=text, subject=text, audiences=frozenset({text}), comment=text)
    signs_in = Recipient(
        f"o{number}{text}", OidcSharing(), text, policies=frozenset({policy}), properties=frozenset({(text, text)})
    )
    item = SharedObject(
        f"c.s.{number}{text}", ObjectType.TABLE, shared_as=text, comment=text,
        partitions=frozenset({frozenset({Condition("region", value=text)})}),
    )  # fmt: skip
    share = Share(f"s{number}{text}", text, frozenset({item}), frozenset({recipient.name, signs_in.name}))
    before = replace(share, comment="", recipients=frozenset({f"gone{text}"}))
    return Scene(
        [recipient, signs_in, share],
        [before, replace(signs_in, authentication=TokenSharing(), policies=frozenset())] if number % 2 else [],
        [before, replace(signs_in, authentication=TokenSharing(), policies=frozenset())] if number % 2 else [],
        path=f"{number}{text}.yaml",
        project=f"{number} {text}",
        renamed_from={share.name: f"old{text}"} if number % 3 == 0 else {},
        allowed=frozenset({f"replace:{recipient_key(signs_in.name, WORKSPACE)}"}) if number % 5 == 0 else frozenset(),
    )


def not_approved(plan: Plan) -> Plan:
    """Nothing of it was approved."""
    return replace(plan, packs=with_approvals(plan.packs, Approvals(), frozenset()))
