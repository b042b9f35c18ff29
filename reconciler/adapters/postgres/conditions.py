"""Conditions on a row of reconciler.work, as SQL, so that every statement means the same by them. They are put into
statements as they stand: nothing of them comes from outside this program."""

from typing import Final

#: A need is met by work that did all it may do. Each need is looked up by itself (a subquery is): by a join, all work
#: there ever was may be read instead, of which so little is not done.
NEEDS_MET: Final = """
    NOT EXISTS (
        SELECT FROM unnest(work.needs) AS needed (work_id) WHERE (
            SELECT need.status FROM reconciler.work AS need WHERE need.work_id = needed.work_id
        ) NOT IN ('done', 'held')
    )
"""

#: A newer plan wants something else of the pack. The newest is looked up by itself, as above.
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
