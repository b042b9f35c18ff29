"""Conditions on a row of reconciler.work, as SQL, so that every statement means the same by them. They are put into
statements as they stand: nothing of them comes from outside this program."""

from typing import Final

#: A need is met by work that did all it may do. Most work has none. Asked of each row by itself (what stands beside OR
#: is): by a join, all work there ever was may be read instead, of which so little is not done.
NEEDS_MET: Final = """
    (work.needs = '{}' OR NOT EXISTS (
        SELECT FROM reconciler.work AS need
        WHERE need.work_id = ANY (work.needs) AND need.status NOT IN ('done', 'held')
    ))
"""

#: A newer plan wants something else of the pack. The newest of its pack is looked up in the index.
SUPERSEDED: Final = """
    work.number < (
        SELECT max(newer.number) FROM reconciler.work AS newer WHERE newer.share_pack_id = work.share_pack_id
    )
"""

#: Its workspace has asked everybody to wait. An array is read once, however many rows are asked about.
PAUSED: Final = """
    work.workspace_url = ANY (ARRAY(
        SELECT pauses.workspace_url FROM reconciler.pauses WHERE pauses.until > clock_timestamp()
    ))
"""
