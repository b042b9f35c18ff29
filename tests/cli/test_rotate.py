"""`sharepack rotate`: a new token once, whatever becomes of the answer, and nothing besides."""

import asyncio
import subprocess
import time
from collections.abc import Callable

import asyncpg
import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import Bench
from tests.forked import Forking

ROTATE = "/api/2.1/unity-catalog/recipients/sales-analyst/rotate-token"
DAY = 24 * 3600 * 1000


@pytest.fixture
def applied(bench: Bench) -> Bench:
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    bench.control.clear_log()
    return bench


def rotations(bench: Bench) -> int:
    return sum(path == f"POST {ROTATE}" for path in bench.writes())


def ids(bench: Bench) -> list[str]:
    return [str(token["id"]) for token in bench.control.tokens("sales-analyst")]


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_token_is_replaced_once_and_the_old_one_goes_on(applied: Bench) -> None:
    (old,) = ids(applied)
    result = applied.run("rotate", "Sales-Analyst", "--overlap", "3d", "--auto-approve")
    assert result.exit_code == Exit.DONE, result.output
    assert "Rotated. `sharepack activation sales-analyst` prints the new link, once." in result.stderr
    assert applied.writes() == [f"POST {ROTATE}"]
    first, second = applied.control.tokens("sales-analyst")
    assert first["id"] == old
    assert first["is_live"]
    assert second["is_live"]
    ends_in = first["expires_at"] - second["created_at"]
    assert abs(ends_in - 3 * DAY) < 300_000
    assert "retrieve_config" not in result.output
    assert applied.run("plan", "--detailed-exitcode").exit_code == Exit.DONE
    assert "retrieve_config.html?" in applied.run("activation", "sales-analyst").stdout


def test_a_third_token_is_refused_and_said_until_when(applied: Bench) -> None:
    assert applied.run("rotate", "sales-analyst", "--auto-approve").exit_code == Exit.DONE
    both = ids(applied)
    again = applied.run("rotate", "sales-analyst", "--auto-approve")
    assert again.exit_code == Exit.BLOCKED
    assert "it has two tokens that work, and Databricks gives no third" in again.stdout
    assert "→ wait until " in again.stdout
    assert (ids(applied), rotations(applied)) == (both, 1)


def test_a_lost_answer_is_resolved_by_reading(applied: Bench) -> None:
    (old,) = ids(applied)
    applied.control.fault(f"POST {ROTATE}", times=1, drop_connection=True, after_handler=True)
    result = applied.run("rotate", "sales-analyst", "--overlap", "0d", "--auto-approve")
    assert result.exit_code == Exit.DONE, result.output
    assert rotations(applied) == 1
    (new,) = ids(applied)
    assert new != old


def test_a_call_that_never_arrived_is_made_again(applied: Bench) -> None:
    (old,) = ids(applied)
    applied.control.fault(f"POST {ROTATE}", times=1, drop_connection=True)
    result = applied.run("rotate", "sales-analyst", "--overlap", "0d", "--auto-approve")
    assert result.exit_code == Exit.DONE, result.output
    (new,) = ids(applied)
    assert new != old


def test_running_it_again_after_the_process_was_killed_does_not_rotate_twice(
    applied: Bench, database_url: str, forking: Forking
) -> None:
    (old,) = ids(applied)
    # The request takes effect after its sender has died.
    applied.control.fault(f"POST {ROTATE}", times=1, delay_ms=2_000, after_handler=True)
    command = [forking.sharepack, "rotate", "sales-analyst", "--overlap", "0d", "--auto-approve"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: applied.control.faults()[0]["matched"] == 1)
    process.kill()
    process.wait()
    wait_until(lambda: ids(applied) != [old])
    asyncio.run(_end_leases(database_url))
    (new,) = ids(applied)
    again = applied.run("rotate", "sales-analyst", "--overlap", "0d", "--auto-approve")
    assert ids(applied) == [new], again.output
    assert again.exit_code == Exit.DONE, again.output
    assert "Nothing was replaced now." in again.stderr
    # What was open is settled: the next one is a rotation of its own.
    assert applied.run("rotate", "sales-analyst", "--overlap", "0d", "--auto-approve").exit_code == Exit.DONE
    assert ids(applied) != [new]


async def _end_leases(database_url: str) -> None:
    """As time would: what a dead process had claimed is free a minute later."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE reconciler.leases SET expires_at = '-infinity'")
    finally:
        await connection.close()


def test_it_does_not_carry_other_changes_along(applied: Bench) -> None:
    applied.pack.write_text(applied.pack.read_text().replace("192.168.1.0/24", "192.168.2.0/24"), encoding="utf-8")
    applied.commit()
    result = applied.run("rotate", "sales-analyst", "--auto-approve")
    assert result.exit_code == Exit.ERROR
    assert "its pack has other changes to it that come first" in result.stderr
    assert applied.writes() == []


def test_changes_to_other_resources_of_the_pack_wait(applied: Bench) -> None:
    applied.pack.write_text(applied.pack.read_text().replace("Q1 sales data", "Q1"), encoding="utf-8")
    applied.commit()
    assert applied.run("rotate", "sales-analyst", "--auto-approve").exit_code == Exit.DONE
    assert applied.writes() == [f"POST {ROTATE}"]
    planned = applied.run("plan", "--detailed-exitcode")
    assert planned.exit_code == Exit.CHANGES
    assert "share/sales_q1_share" in planned.stdout
    assert applied.run("apply", "--auto-approve").exit_code == Exit.DONE
    assert applied.run("plan", "--detailed-exitcode").exit_code == Exit.DONE


def test_what_cannot_be_rotated_is_said(bench: Bench) -> None:
    nobody = bench.run("rotate", "sales-analyst", "--auto-approve")
    assert nobody.exit_code == Exit.ERROR
    assert "is not on record" in nobody.stderr
    text = bench.pack.read_text()
    d2d = "  - {name: other-metastore, type: D2D, metastore_id: 'aws:us-west-2:abc-123-def'}\n"
    bench.pack.write_text(text.replace("recipient:\n", f"recipient:\n{d2d}"), encoding="utf-8")
    bench.commit()
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    result = bench.run("rotate", "other-metastore", "--auto-approve")
    assert (result.exit_code, "has no token that could be replaced" in result.stderr) == (Exit.ERROR, True)
    wrong = bench.run("rotate", "sales-analyst", "--overlap", "soon", "--auto-approve")
    assert "write a number of hours or days" in wrong.stderr
    unasked = bench.run("rotate", "sales-analyst")
    assert (unasked.exit_code, "--auto-approve" in unasked.stderr) == (Exit.ERROR, True)
