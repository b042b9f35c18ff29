"""The shape of a pack file in its users' words. What the values mean is checked in `content` and after it.

None stands for "not mentioned", never for null: an explicit null is refused before a file gets here."""

from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from reconciler.packs.tree import Number

#: Ours: the longest text that is sure to fit an Excel cell with every character of it escaped.
MAX_TEXT: Final = 10_000
#: Databricks documents 255 for the names of Unity Catalog objects; VARCHAR(255) in our tables.
MAX_NAME: Final = 255
MAX_ALLOWED_IPS: Final = 100
#: What fits 64 bits for certain.
MAX_DIGITS: Final = 18
#: As packs write them (any letter case): the values of `data_object_type`.
OBJECT_TYPES: Final = (
    "TABLE",
    "VIEW",
    "MATERIALIZED_VIEW",
    "STREAMING_TABLE",
    "FOREIGN_TABLE",
    "SCHEMA",
    "VOLUME",
    "MODEL",
    "FUNCTION",
    "NOTEBOOK_FILE",
    "FEATURE_SPEC",
)

#: Blanks around a value are dropped, so the patterns let them pass.
_NAME_PATTERN: Final = rf"^\s*[^\s./\x00-\x1f\x7f]{{1,{MAX_NAME}}}\s*$"
_EMAIL_PATTERN: Final = r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$"
_METASTORE_PATTERN: Final = r"^\s*([Aa][Ww][Ss]|[Aa][Zz][Uu][Rr][Ee]|[Gg][Cc][Pp]):[A-Za-z0-9-]+:[A-Za-z0-9-]+\s*$"

_DAY_PATTERN: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT_PATTERN: Final = rf"^\s*{_DAY_PATTERN}(T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}Z)?\s*$"


def _one_of(*words: str) -> dict[str, Any]:
    """Completion offers the words as they are documented; any letter case is accepted."""
    pattern = "|".join("".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in word) for word in words)
    return {"anyOf": [{"enum": list(words)}, {"pattern": rf"^\s*({pattern})\s*$"}]}


def _whole_number(value: object) -> object:
    """Readers of files hand numbers over as they are written; only plain digits are taken for a number here."""
    digits = value.text if isinstance(value, Number) else ""
    is_whole = digits.removeprefix("-").isdigit() and digits.isascii() and len(digits) <= MAX_DIGITS
    return int(digits) if is_whole else value


Name: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"pattern": _NAME_PATTERN})]
Title: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME})]
Text: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"maxLength": MAX_TEXT})]
Email: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"pattern": _EMAIL_PATTERN})]
Day: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"pattern": rf"^\s*{_DAY_PATTERN}\s*$"})]
Moment: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"pattern": _MOMENT_PATTERN})]
Span: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"pattern": r"^\s*[0-9]{1,6}\s*[hdwHDW]\s*$"})]
Version: TypeAlias = Annotated[StrictInt, BeforeValidator(_whole_number), Field(json_schema_extra={"minimum": 0})]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AllowanceEntry(Shape):
    """A reviewed exception: it lifts one objection of a plan, named by its words, until a day."""

    action: StrictStr = Field(
        description="What is allowed, in the words of the plan's objection. It lifts that one and no other.",
        examples=["delete:share/sales_q1_share"],
    )
    until: Day = Field(
        description="The last day on which it counts, as YYYY-MM-DD, at most a year ahead.", examples=["2027-01-31"]
    )
    reason: Text = Field(description="Why it is right, for whoever reviews it.")


class Metadata(Shape):
    """Who asks for the pack, and what it is called. Business line and project name together are its identity."""

    requestor: Email = Field(description="E-mail address of the person who asks for it.", examples=["ann@example.com"])
    project_name: Title = Field(
        description="Name of the project. With the business line it identifies the pack; the file's name does not.",
        examples=["Sales Data Q1 2024"],
    )
    business_line: Title = Field(
        description="The business line, as tenants.yaml names it. It decides the workspace.",
        examples=["Sales Operations"],
    )
    strategy: StrictStr | None = Field(
        default=None,
        description="NEW or UPDATE. May be left out: it is derived from what exists, and only compared.",
        json_schema_extra=_one_of("NEW", "UPDATE"),
    )
    description: Text | None = Field(default=None, description="What the pack is for.")
    region: StrictStr | None = Field(
        default=None,
        description="Region of the business line, as tenants.yaml names it. Needed when it has several.",
        examples=["AM", "EMEA"],
        json_schema_extra={"maxLength": MAX_NAME},
    )
    drift: StrictStr | None = Field(
        default=None,
        description="correct: what was changed by hand is put back. report: it is told, and left until the file "
        "changes the resource. Left out, tenants.yaml decides, and without that it is corrected.",
        json_schema_extra=_one_of("correct", "report"),
    )


class FederationPolicyEntry(Shape):
    """Whom the partner's identity provider must name for an OIDC recipient to be let in."""

    name: StrictStr = Field(
        description="Lower-case letters, digits and hyphens; unique in the recipient.", examples=["nightly-job"]
    )
    issuer: StrictStr = Field(
        description="https URL of the identity provider.",
        examples=["https://login.microsoftonline.com/7ff1d04b-0000-4a00-9000-000000000000/v2.0"],
    )
    subject_claim: StrictStr = Field(
        description="The claim of its token that says who it is.",
        json_schema_extra=_one_of("oid", "azp", "groups", "sub"),
    )
    subject: StrictStr = Field(description="The value that claim must have.")
    audiences: tuple[StrictStr, ...] | None = Field(default=None, description="Audiences its token may be made for.")
    comment: Text | None = Field(default=None, description="A remark.")


class RecipientEntry(Shape):
    """Somebody outside who may be granted shares."""

    name: Name = Field(
        description="Name of the recipient, without spaces, dots and slashes. Letter case does not matter.",
        examples=["sales-analyst"],
    )
    type: StrictStr = Field(
        description="D2O: a partner who reads with a token. OIDC: a partner who signs in at its own identity provider. "
        "D2D: another Databricks metastore.",
        json_schema_extra=_one_of("D2O", "OIDC", "D2D"),
    )
    email: Annotated[StrictStr, Field(json_schema_extra={"pattern": f"^$|{_EMAIL_PATTERN}"})] | None = Field(
        default=None,
        description="Who gets the activation link. Needed for D2O, may be left out for OIDC and D2D.",
        examples=["analyst@partner.com"],
    )
    metastore_id: StrictStr | None = Field(
        default=None,
        description="Sharing identifier <cloud>:<region>:<uuid> of the other metastore. For D2D, which needs it.",
        examples=["aws:us-west-2:19a84bee-54bc-43a2-87de-023d0ec16016"],
        json_schema_extra={"pattern": _METASTORE_PATTERN},
    )
    allowed_ips: tuple[StrictStr, ...] | None = Field(
        default=None,
        description="IPv4 addresses and CIDR ranges that may read, for D2O and OIDC. [] lets every address in; "
        "left out, the list is not managed.",
        examples=[["203.0.113.0/24", "198.51.100.50"]],
        json_schema_extra={"maxItems": MAX_ALLOWED_IPS},
    )
    comment: Text | None = Field(default=None, description='A remark. "" clears it; left out, it is not managed.')
    owner: StrictStr | None = Field(
        default=None,
        description="User, group or service principal that owns it; a group is best. Left out, it is not managed.",
        examples=["data-sharing-admins"],
    )
    properties: dict[StrictStr, StrictStr] | None = Field(
        default=None,
        description="Names and values that partitions and row filters may ask for. {} clears them; left out, they are "
        "not managed. Names that begin with databricks. belong to the server and are not written here.",
        examples=[{"country": "DE"}],
    )
    expires_at: Moment | None = Field(
        default=None,
        description="When the token ends, for D2O only: YYYY-MM-DDTHH:MM:SSZ (UTC), or YYYY-MM-DD for 00:00:00Z at the "
        "beginning of that day. It can only be brought forward; a later end takes a new token. Not together with "
        "token_lifetime or rotate_every.",
        examples=["2027-06-30"],
    )
    token_lifetime: Span | None = Field(
        default=None,
        description="How long a token lives from when it is issued, in days (90d), weeks (12w) or hours (36h), from 1d "
        "to 365d, for D2O only. A longer-lived token is shortened, but never to less than the overlap from now.",
        examples=["90d"],
    )
    rotate_every: Span | None = Field(
        default=None,
        description="After how long a token is replaced by a new one, such as 90d: at least 1d and more than the "
        "overlap, for D2O only.",
        examples=["60d"],
    )
    rotation_overlap: Span | None = Field(
        default=None,
        description="How long the old token works beside the new one, such as 7d (which it is when left out); 0d ends "
        "it at once. Only with rotate_every.",
        examples=["7d"],
    )
    federation_policies: tuple[FederationPolicyEntry, ...] | None = Field(
        default=None,
        description="Who is let in, for OIDC only. [] lets nobody in; left out, the policies are not managed.",
    )
    protect: StrictBool = Field(
        default=False, description="It may not be deleted. Lifting this and deleting are two commits."
    )
    renamed_from: Name | None = Field(
        default=None,
        description="The name it had. It is renamed in place: the token stays. May go once that is done.",
    )
    adopt: StrictBool = Field(default=False, description="Take over a recipient of this name that exists already.")


class DataObjectEntry(Shape):
    """A data object with options. Without any, its name alone is enough."""

    name: StrictStr = Field(
        description="catalog.schema.table, or catalog.schema for all of a schema; for a notebook a name of its own.",
        examples=["prod_catalog.sales.transactions"],
    )
    type: StrictStr | None = Field(
        default=None,
        description="What it is. Left out, it is looked up in the catalog; notebooks and feature specs must say.",
        json_schema_extra=_one_of(*OBJECT_TYPES),
    )
    shared_as: StrictStr | None = Field(
        default=None,
        description="The name it has for its readers: schema.table in letters, digits and underscores; for a notebook "
        "a file name. Left out, Databricks chooses; a schema has none.",
        examples=["sales.transactions_eu"],
    )
    comment: Text | None = Field(default=None, description='A remark. "" clears it; left out, it is not managed.')
    partitions: tuple[StrictStr, ...] | None = Field(
        default=None,
        description="Which partitions of a table are shared, each as column = 'value', column LIKE 'pattern', "
        "column = recipient.property or column IS NULL, joined by AND; what lies in any of them is shared. [] shares "
        "all; left out, it is not managed.",
        examples=[["region = 'EMEA' AND year = '2026'", "country = recipient.country"]],
    )
    history: StrictBool | None = Field(
        default=None,
        description="Share a table, or the tables of a schema, with their history, so that readers can travel in time "
        "and stream. Left out, Databricks chooses.",
    )
    cdf: StrictBool | None = Field(
        default=None, description="Share the change data feed of a table. Not together with history."
    )
    start_version: Version | None = Field(
        default=None, description="The oldest version of a table that can be read.", examples=[0]
    )
    content: StrictStr | None = Field(
        default=None,
        description="Path of the notebook's file, from the folder of the pack. Only notebooks have one, and need it.",
        examples=["notebooks/getting-started.ipynb"],
    )


class ShareEntry(Shape):
    """A set of data objects, and who may read it."""

    name: Name = Field(
        description="Name of the share, without spaces, dots and slashes. Letter case does not matter.",
        examples=["sales_q1_share"],
    )
    comment: Text | None = Field(default=None, description='A remark. "" clears it; left out, it is not managed.')
    owner: StrictStr | None = Field(
        default=None,
        description="User, group or service principal that owns it and must be able to read every object; a group is "
        "best. Left out, it is not managed.",
        examples=["data-sharing-admins"],
    )
    storage_root: StrictStr | None = Field(
        default=None,
        description="Cloud storage URL for the files of shared notebooks. Left out, it is not managed.",
        examples=["abfss://shares@account.dfs.core.windows.net/notebooks"],
    )
    recipients: tuple[StrictStr, ...] | None = Field(
        default=None,
        description="Names of the recipients that may read it: of this pack, of another pack of the business line, or "
        "of a business line that lends them (tenants.yaml). "
        "[] means nobody; left out, who reads it is not managed.",
        examples=[["sales-analyst"]],
    )
    data_objects: tuple[StrictStr | DataObjectEntry, ...] | None = Field(
        default=None,
        description="What is shared: catalog.schema.table, or catalog.schema for all of a schema; with options, a "
        "mapping. "
        "[] means nothing; left out, the content is not managed.",
        examples=[["prod_catalog.sales.transactions"]],
    )
    protect: StrictBool = Field(
        default=False, description="It may not be deleted. Lifting this and deleting are two commits."
    )
    renamed_from: Name | None = Field(
        default=None, description="The name it had. It is renamed in place. May go once that is done."
    )
    adopt: StrictBool = Field(default=False, description="Take over a share of this name that exists already.")


class PackDocument(Shape):
    """A share pack: which recipients and shares exist, what is in each share, and who may read it."""

    metadata: Metadata = Field(description="Who asks for the pack, and what it is called.")
    recipient: tuple[RecipientEntry, ...] = Field(default=(), description="The recipients this pack declares.")
    share: tuple[ShareEntry, ...] = Field(default=(), description="The shares this pack declares.")
    allow: tuple[AllowanceEntry, ...] = Field(
        default=(), description="Reviewed exceptions: objections of a plan that are lifted, each until a day."
    )
    release: tuple[StrictStr, ...] = Field(
        default=(),
        description="Resources the pack lets go of without touching them: share/NAME or recipient/NAME.",
        examples=[["share/sales_q1_share"]],
    )
