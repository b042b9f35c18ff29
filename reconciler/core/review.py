"""Who stands behind a change: the pull requests it came in by and the people who approved them. Values for the record;
whether what runs is what they approved is `core.approval`'s question."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Review:
    """Of one pack, since it was last applied."""

    #: `owner/name#12`, oldest first.
    pull_requests: tuple[str, ...] = ()
    #: Who and how, such as `ann (review)`, `bob (environment production)`, `cyd (merge)`; in the order they approved.
    approved_by: tuple[str, ...] = ()

    @property
    def pull_requests_text(self) -> str:
        return ", ".join(self.pull_requests)

    @property
    def approved_by_text(self) -> str:
        return ", ".join(self.approved_by)

    def joined(self, other: "Review") -> "Review":
        """Both, each named once."""
        return Review(
            tuple(dict.fromkeys((*self.pull_requests, *other.pull_requests))),
            tuple(dict.fromkeys((*self.approved_by, *other.approved_by))),
        )
