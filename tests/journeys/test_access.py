"""Who could read what, at any point of a history: two packs, three applies, and questions about before, between and
after."""

from datetime import datetime

import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.core.key import recipient_key
from reconciler.ports.archive import Archive
from reconciler.render.access_report_text import access_report_text
from reconciler.stages.access import who_reads
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

CUSTOMERS = "prod_catalog.sales.customers"
REFUNDS = "prod_catalog.sales.refunds"
#: Of another business line: all of the schema, to somebody else.
AUDIT = """\
metadata:
  requestor: ann@example.com
  project_name: "Audit of Sales"
  business_line: "Corporate Audit"
recipient:
  - name: external-auditor
    type: D2O
    email: auditor@external.com
share:
  - name: audit_share
    recipients: [external-auditor]
    data_objects: [prod_catalog.sales]
"""
WITH_REFUNDS = f"{SALES}      - {REFUNDS}\n"
TAKEN_BACK = WITH_REFUNDS.replace("    recipients:\n      - sales-analyst\n", "    recipients: []\n")


class Told:
    """The history, and moments in it by the database's clock."""

    def __init__(self, journey: Journey, archive: Archive) -> None:
        self.journey = journey
        self.archive = archive
        self.moments: list[datetime] = []
        self.commits: list[str] = []

    async def mark(self) -> None:
        ((now,),) = await self.journey.rows("SELECT clock_timestamp()")
        self.moments.append(now)

    async def save(self, **packs: str) -> None:
        for name, content in packs.items():
            self.journey.write(f"{name}.yaml", content)
        self.commits.append(self.journey.commit())
        applied = await self.journey.converge()
        assert applied.after is not None
        assert [step.objections for step in applied.after.steps if step.is_held] == []
        await self.mark()

    async def ask(
        self, at: int | None, recipient: str = "", object_name: str = "", lines: frozenset[str] | None = None
    ) -> AccessReport:
        """At the moment of this number; None: now."""
        when = None if at is None else self.moments[at]
        question = AccessQuestion(recipient, object_name, when, lines=lines)
        return await who_reads(self.archive, question, self.moments[-1])

    async def readers(self, at: int | None, object_name: str) -> dict[str, tuple[str, str]]:
        """Of an object: through which share, by which commit."""
        report = await self.ask(at, object_name=object_name)
        return {line.recipient: (line.share.name, line.commit) for line in report.lines}


@pytest.fixture
def told(journey: Journey) -> Told:
    assert isinstance(journey.ledger, PostgresLedger)
    return Told(journey, journey.ledger.portal().archive)


async def tell(told: Told) -> None:
    """0: nothing yet. 1: sales. 2: sales with refunds, and the audit. 3: sales granted to nobody."""
    told.journey.allow("whole-schema:share/audit_share/external-auditor")
    await told.mark()
    await told.save(sales=SALES)
    await told.save(sales=WITH_REFUNDS, audit=AUDIT)
    await told.save(sales=TAKEN_BACK)


async def test_an_object_before_between_and_after(told: Told) -> None:
    await tell(told)
    first, second, _ = told.commits
    direct = {"sales-analyst": ("sales_q1_share", first)}
    by_schema = {"external-auditor": ("audit_share", second)}
    assert await told.readers(0, CUSTOMERS) == {}
    assert await told.readers(1, CUSTOMERS) == direct
    assert await told.readers(2, CUSTOMERS) == direct | by_schema
    assert await told.readers(3, CUSTOMERS) == by_schema
    assert await told.readers(None, CUSTOMERS) == by_schema
    assert await told.readers(1, REFUNDS) == {}
    assert await told.readers(2, REFUNDS.upper()) == {"sales-analyst": ("sales_q1_share", second)} | by_schema


async def test_since_when_goes_back_over_changes_of_something_else(told: Told) -> None:
    await tell(told)
    (line,) = (await told.ask(2, recipient="Sales-Analyst", object_name=CUSTOMERS)).lines
    assert told.moments[0] < line.since < told.moments[1]
    (line,) = (await told.ask(2, recipient="sales-analyst", object_name=REFUNDS)).lines
    assert told.moments[1] < line.since < told.moments[2]
    # The very moment it began belongs to it, and the one before does not.
    begun = AccessQuestion(object_name=REFUNDS, recipient="sales-analyst", at=line.since)
    assert len((await who_reads(told.archive, begun, line.since)).lines) == 1
    before = AccessQuestion(object_name=REFUNDS, recipient="sales-analyst", at=line.since.replace(microsecond=0))
    if line.since.microsecond:
        assert (await who_reads(told.archive, before, line.since)).lines == ()


async def test_a_recipient_with_who_it_is_and_everything_at_once(told: Told) -> None:
    await tell(told)
    report = await told.ask(2, recipient="sales-analyst")
    assert {line.item.name for line in report.lines} == {CUSTOMERS, REFUNDS, "prod_catalog.sales.transactions"}
    analyst = report.recipients[recipient_key("sales-analyst", told.journey.url)]
    assert (analyst.email, analyst.allowed_ips) == ("analyst@partner.com", frozenset({"192.168.1.0/24"}))
    everything = await told.ask(2)
    assert {line.recipient for line in everything.lines} == {"sales-analyst", "external-auditor"}
    assert len(everything.lines) == 4


async def test_only_of_a_business_line(told: Told) -> None:
    await tell(told)
    report = await told.ask(2, object_name=CUSTOMERS, lines=frozenset({"corporate audit"}))
    assert [line.recipient for line in report.lines] == ["external-auditor"]
    assert report.record_since is not None
    assert told.moments[1] < report.record_since < told.moments[2]


async def test_what_a_person_reads_of_it(told: Told) -> None:
    await tell(told)
    early = access_report_text(await told.ask(0, object_name=CUSTOMERS))
    assert " ".join(early.split()).startswith("What could be read at ")
    assert "is not known: the record begins at" in " ".join(early.split())
    between = access_report_text(await told.ask(2, object_name=CUSTOMERS))
    assert f"prod_catalog.sales (all of the schema): {CUSTOMERS} lies in it" in " ".join(between.split())
    assert "e-mail auditor@external.com" in between
    assert told.commits[1][:12] in between
    nobody = " ".join(access_report_text(await told.ask(1, object_name=REFUNDS)).split())
    assert nobody.startswith(f"Nobody could read {REFUNDS} at ")
    assert "as far as the record tells; it goes back to" in nobody


async def test_an_empty_record_says_so(told: Told) -> None:
    await told.mark()
    assert access_report_text(await told.ask(None)) == "Nothing is on record: no share was ever applied.\n"
