"""The shape of a pack file in its users' words. What the values mean is checked in `content` and `placing`.

None stands for "not mentioned", never for null: an explicit null is refused before a file gets here."""

from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

#: Ours: the longest text that is sure to fit an Excel cell with every character of it escaped.
MAX_TEXT: Final = 10_000
#: Databricks documents 255 for the names of Unity Catalog objects; VARCHAR(255) in our tables.
MAX_NAME: Final = 255
MAX_ALLOWED_IPS: Final = 100

#: Blanks around a value are dropped, so the patterns let them pass.
_NAME_PATTERN: Final = rf"^\s*[^\s./\x00-\x1f\x7f]{{1,{MAX_NAME}}}\s*$"
_EMAIL_PATTERN: Final = r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$"
_METASTORE_PATTERN: Final = r"^\s*([Aa][Ww][Ss]|[Aa][Zz][Uu][Rr][Ee]|[Gg][Cc][Pp]):[A-Za-z0-9-]+:[A-Za-z0-9-]+\s*$"


def _one_of(*words: str) -> dict[str, Any]:
    """Completion offers the words as they are documented; any letter case is accepted."""
    pattern = "|".join("".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in word) for word in words)
    return {"anyOf": [{"enum": list(words)}, {"pattern": rf"^\s*({pattern})\s*$"}]}


Name: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"pattern": _NAME_PATTERN})]
Title: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME})]
Text: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"maxLength": MAX_TEXT})]
Email: TypeAlias = Annotated[StrictStr, Field(json_schema_extra={"pattern": _EMAIL_PATTERN})]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class RecipientEntry(Shape):
    """Somebody outside who may be granted shares."""

    name: Name = Field(
        description="Name of the recipient, without spaces, dots and slashes. Letter case does not matter.",
        examples=["sales-analyst"],
    )
    type: StrictStr = Field(
        description="D2O: a partner who reads with a token. D2D: another Databricks metastore.",
        json_schema_extra=_one_of("D2O", "D2D"),
    )
    email: Annotated[StrictStr, Field(json_schema_extra={"pattern": f"^$|{_EMAIL_PATTERN}"})] | None = Field(
        default=None,
        description="Who gets the activation link. Needed for D2O.",
        examples=["analyst@partner.com"],
    )
    metastore_id: StrictStr | None = Field(
        default=None,
        description="Sharing identifier <cloud>:<region>:<uuid> of the other metastore. Needed for D2D, not for D2O.",
        examples=["aws:us-west-2:19a84bee-54bc-43a2-87de-023d0ec16016"],
        json_schema_extra={"pattern": _METASTORE_PATTERN},
    )
    allowed_ips: tuple[StrictStr, ...] | None = Field(
        default=None,
        description="IPv4 addresses and CIDR ranges that may read, for D2O only. [] lets every address in; "
        "left out, the list is not managed.",
        examples=[["203.0.113.0/24", "198.51.100.50"]],
        json_schema_extra={"maxItems": MAX_ALLOWED_IPS},
    )
    comment: Text | None = Field(default=None, description='A remark. "" clears it; left out, it is not managed.')
    adopt: StrictBool = Field(default=False, description="Take over a recipient of this name that exists already.")


class ShareEntry(Shape):
    """A set of data objects, and who may read it."""

    name: Name = Field(
        description="Name of the share, without spaces, dots and slashes. Letter case does not matter.",
        examples=["sales_q1_share"],
    )
    comment: Text | None = Field(default=None, description='A remark. "" clears it; left out, it is not managed.')
    recipients: tuple[StrictStr, ...] | None = Field(
        default=None,
        description="Names of the recipients that may read it: of this pack, or of another pack of the business line. "
        "[] means nobody; left out, who reads it is not managed.",
        examples=[["sales-analyst"]],
    )
    data_objects: tuple[StrictStr, ...] | None = Field(
        default=None,
        description="What is shared: catalog.schema.table, or catalog.schema for all of a schema. "
        "[] means nothing; left out, the content is not managed.",
        examples=[["prod_catalog.sales.transactions"]],
    )
    adopt: StrictBool = Field(default=False, description="Take over a share of this name that exists already.")


class PackDocument(Shape):
    """A share pack: which recipients and shares exist, what is in each share, and who may read it."""

    metadata: Metadata = Field(description="Who asks for the pack, and what it is called.")
    recipient: tuple[RecipientEntry, ...] = Field(default=(), description="The recipients this pack declares.")
    share: tuple[ShareEntry, ...] = Field(default=(), description="The shares this pack declares.")
