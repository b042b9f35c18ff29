"""A daemon that does nothing but lead: it asks every 50 ms and says when the answer changes. `test_leadership` starts
it."""

import asyncio
import sys

from reconciler.adapters.postgres.leadership import PostgresLeadership


async def lead(dsn: str, idle: float) -> None:
    leadership = PostgresLeadership(dsn, idle=idle)
    before: bool | None = None
    while True:
        leads = await leadership.holds()
        if leads is not before:
            print("leads" if leads else "does not lead", flush=True)
        before = leads
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(lead(sys.argv[1], float(sys.argv[2])))
