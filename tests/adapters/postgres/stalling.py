"""A worker process that begins a call, is asked to go on, and then says what it was still allowed to write.

python -m tests.adapters.postgres.stalling DSN WORK_ID LEASE
"""

import asyncio
import sys
from uuid import UUID

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import CreateShare, Operation
from reconciler.ports.ledger import Claim, Done, FenceLostError, WorkStatus
from tests.adapters.postgres.samples import (
    SALES,
    SALES_KEY,
    begin,
    conclude,
)


async def main(dsn: str, work_id: UUID, lease: float) -> None:
    ledger = await PostgresLedger.open(dsn)
    claim = await ledger.claim("stalled", work_id, lease)
    assert isinstance(claim, Claim)
    operation = Operation(CreateShare(SALES_KEY), SALES)
    begun = await begin(ledger, claim, operation)
    print("begun", flush=True)
    sys.stdin.readline()
    for name, write in {
        "conclude": conclude(ledger, claim, begun, Done("late")),
        "begin": begin(ledger, claim, operation),
        "settle": ledger.settle(claim, SALES_KEY, None, "late"),
        "renew": ledger.renew(claim, 60),
        "postpone": ledger.postpone(claim, 0, "late"),
        "finish": ledger.finish(claim, WorkStatus.DONE),
    }.items():
        try:
            await write
        except FenceLostError:
            print(name, "refused", flush=True)
        else:
            print(name, "written", flush=True)
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), float(sys.argv[3])))
