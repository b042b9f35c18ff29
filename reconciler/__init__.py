"""Keeps Databricks Delta Sharing as the share packs in Git say.

A pack file becomes API calls in one straight line, and every decision on it is a pure function of values:

    packs      bytes at a Git revision      -> SharePacks, or Problems with their place in the file
    core       desired, recorded, actual    -> a Verdict per resource (`core.compare`, the three-way table)
               verdicts                     -> a Plan: ordered steps, objections, fingerprint
               a verdict                    -> the exact Calls and what is true after each (`core.lowering`)
    stages     verbs over ports: read, observe, plan, submit, work; they carry values to and fro
    adapters   Databricks, PostgreSQL, queues, Git; they touch the world and decide nothing
    cli …      translate people and programs to stages and back

A worker never trusts an old plan: it looks again, compares again, and performs only what was approved. Before each
call it writes what it intends, after it what came of it, so that a crash at any point is resolved by reading.
"""

__version__ = "0.1.0"
