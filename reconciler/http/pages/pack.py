"""A pack: how far it is, what would change now, what it has made, and how it came to that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Plan
from reconciler.core.recipient import Recipient
from reconciler.core.recorded import PackStatus
from reconciler.core.resource import Resource
from reconciler.core.share import Share
from reconciler.http.pages.frame import Visitor, framed, link, message
from reconciler.http.pages.last_plan import last_plan
from reconciler.http.pages.packs import badge, pack_address, told
from reconciler.http.pages.tables import short, table, when
from reconciler.http.pages.timeline import timeline
from reconciler.ports.archive import RowVersion
from reconciler.ports.inbox import Upload, UploadStatus
from reconciler.ports.kept_plans import KeptPlan
from reconciler.ports.records import KeyVersion, PackState
from reconciler.render.html import plan_parts
from reconciler.render.html.lines_html import words
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag
from reconciler.render.people import describe
from reconciler.render.status_report import Report

#: Seconds after which a page without script asks again.
_AGAIN: Final = 5
_WORDS: Final = {
    UploadStatus.RECEIVED: "It was received, and is on its way to the repository.",
    UploadStatus.COMMITTED: "It is in the repository, and waits to be done.",
    UploadStatus.SUBMITTED: "It is in the repository, and was handed to a worker.",
    UploadStatus.REJECTED: "The file has problems; nothing was committed.",
    UploadStatus.FAILED: "The repository could not be written; nothing was committed.",
}
_RESOURCES: Final = ("Resource", "What it is", "Since", "By", "Approved by")
_UPLOADS: Final = ("Handed in", "File", "By", "Came to", "Commit")


@dataclass(frozen=True, slots=True)
class PackView:
    state: PackState
    #: About this pack.
    report: Report
    #: Of the pack's row, oldest first.
    rows: Sequence[RowVersion]
    #: Of its resources, oldest first.
    versions: Sequence[KeyVersion]
    #: Newest first.
    uploads: Sequence[Upload]
    #: What it was submitted with; None: it never was.
    last: KeptPlan | None = None
    #: As it would be now; None: nobody asked.
    plan: Plan | None = None
    #: Why there is no plan although it was asked for.
    trouble: str = ""


def pack_page(view: PackView, visitor: Visitor) -> str:
    state = view.state
    is_moving = state.status is PackStatus.IN_PROGRESS and not state.is_deleted
    again = tag("noscript", tag("meta", http_equiv="refresh", content=_AGAIN)) if is_moving else NOTHING
    return framed(
        state.pack.project_name,
        tag("p", *_way(state), class_="revision"),
        progress(state) if is_moving else _standing(view),
        _facts(state),
        _plan(view),
        _resources(view.versions, state),
        _part(
            "timeline",
            "Timeline",
            "versions on record, newest first; times are UTC",
            timeline(view.rows, view.versions),
        ),
        _uploads(view.uploads),
        visitor=visitor,
        head=again,
    )


def handed_in_page(upload: Upload, visitor: Visitor) -> str:
    """Of what was handed in and is not on record as a pack."""
    said = tag("p", _WORDS[upload.status])
    if upload.pull_request is not None and upload.status is UploadStatus.COMMITTED:
        said = tag("p", f"It waits for review in pull request #{upload.pull_request}.")
    tone = "trouble" if upload.status in {UploadStatus.REJECTED, UploadStatus.FAILED} else "change"
    why = tag("p", upload.reason) if upload.reason else NOTHING
    title = upload.pack.project_name or "A pack that was handed in"
    return framed(title, message(said, why, tone=tone), _uploads([upload]), visitor=visitor)


def _way(state: PackState) -> Iterator[Content]:
    line = state.pack.business_line
    yield from (tag("a", "Packs", href="/"), " / ", tag("bdi", line), " · ")
    yield tag("a", "who can see what of this business line", href=link("/access", {"business_line": line}))


def progress(state: PackState) -> Markup:
    """Moves by script, or when the page is asked for again."""
    said = progress_words(state)
    return tag(
        "div",
        tag("p", badge(state), " ", tag("span", said, class_="said"), role="status"),
        tag("progress", aria_label="In progress"),
        data_events=f"{pack_address(state)}/events",
        class_="message change-message",
    )


def progress_words(state: PackState) -> str:
    return state.error_message or state.provisioning_status or "waiting for a worker"


def _standing(view: PackView) -> Markup:
    lines = [tag("p", words(each)) for each in told(view.state, view.report)]
    good = view.state.provisioning_status
    said = lines or ([tag("p", good)] if good else [])
    return tag("div", tag("p", badge(view.state)), *said, class_="standing")


def _facts(state: PackState) -> Markup:
    facts: tuple[tuple[str, Content], ...] = (
        ("File", tag("code", state.path)),
        ("Workspace", state.workspace),
        ("Requested by", state.requested_by),
        ("Last submitted", short(state.commit)),
        ("Last applied to the end", short(state.applied_commit) if state.applied_commit else "never"),
        ("On record since", when(state.created_at)),
        ("Changed", when(state.last_updated)),
        ("Name", state.share_pack_name),
        ("Id", tag("code", str(state.share_pack_id))),
    )
    return tag("dl", *(part for name, said in facts for part in (tag("dt", name), tag("dd", said))), class_="panel")


def _plan(view: PackView) -> Markup:
    """The one that was asked for now, or the one it was submitted with last."""
    if view.plan is not None:
        return _part("plan", "Plan", "what would change now", plan_parts(view.plan))
    address = link(pack_address(view.state), {"plan": "now"})
    why = "Compares the file, the record and Databricks; changes nothing."
    now = tag("a", "Plan now", href=f"{address}#plan", class_="main")
    asking = tag("p", now, " ", tag("span", why, class_="dim"), class_="asking")
    trouble = message(view.trouble) if view.trouble else NOTHING
    last = last_plan(view.last) if view.last else tag("p", "It was never submitted.", class_="calm")
    return _part("plan", "Plan", "as it was submitted last", joined([trouble, last, asking]))


def _resources(versions: Sequence[KeyVersion], state: PackState) -> Markup:
    mine = [each for each in versions if each.effective_to is None and each.resource and each.pack == state.pack]
    rows = ((_name(each), _what(each.resource), when(each.effective_from), _by(each), _approved(each)) for each in mine)
    content = table("Resources of the pack", _RESOURCES, rows) if mine else tag("p", "Nothing yet.", class_="calm")
    return _part("resources", "Resources", "what the pack has made, as it is on record", content)


def _name(version: KeyVersion) -> Content:
    return tag("bdi", str(version.key), class_="first")


def _what(resource: Resource | None) -> str:
    match resource:
        case Recipient():
            return describe(resource)
        case Share(objects=objects, recipients=recipients):
            counts = ((objects, "data object"), (recipients, "recipient"))
            return ", ".join(_counted(len(each), noun) for each, noun in counts if each is not UNMANAGED)
        case None:
            return ""


def _by(version: KeyVersion) -> Markup:
    return _two(version.created_by, short(version.commit))


def _approved(version: KeyVersion) -> Markup:
    return _two(version.approved_by or "nobody said", version.pull_requests)


def _two(first: Content, second: Content) -> Markup:
    return joined([tag("span", first, class_="first"), tag("span", second, class_="second") if second else NOTHING])


def _uploads(uploads: Sequence[Upload]) -> Markup:
    if not uploads:
        return NOTHING
    rows = (tuple(_upload(each)) for each in uploads)
    return _part("uploads", "Handed in", "over the API or here, newest first", table("Uploads", _UPLOADS, rows))


def _upload(upload: Upload) -> Iterator[Content]:
    yield when(upload.received_at) if upload.received_at else "just now"
    yield _two(tag("span", upload.path, class_="path"), tag("code", f"sha256 {upload.digest[:12]}"))
    yield _two(upload.requestor, upload.caller)
    yield _two(str(upload.status), upload.reason if upload.status is UploadStatus.FAILED else "")
    number = "" if upload.pull_request is None else f"pull request #{upload.pull_request}"
    yield _two(short(upload.commit), number)


def _part(anchor: str, title: str, said: str, content: Markup) -> Markup:
    return tag("section", tag("h2", title, " ", tag("small", said)), content, id=anchor, class_="part")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s'[: count != 1]}"
