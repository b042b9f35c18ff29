"""Every rule a pack file is held to: its id, stable for good, and what it means in one line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_FILE = {
    "file-too-large": "A YAML file has at most 5 MB, a workbook at most 20 MB.",
    "file-empty": "A pack file holds a pack.",
    "file-encoding": "Text is UTF-8.",
    "file-control-character": "Text holds no control characters.",
    "file-too-many-problems": "Of one file's problems a thousand are shown.",
}
_YAML = {
    "yaml-syntax": "The file is YAML.",
    "yaml-tab": "YAML is indented with spaces.",
    "yaml-alias": "Anchors and aliases are not used.",
    "yaml-merge-key": "The merge key << is not used.",
    "yaml-tag": "Tags (!…) are not used.",
    "yaml-key-not-text": "Keys are plain text.",
    "yaml-many-documents": "One file is one document.",
    "yaml-too-deep": "A file is nested at most 20 levels deep.",
    "yaml-too-many-values": "A file holds at most 100,000 values.",
}
_WORKBOOK = {
    "workbook-format": "Workbooks are .xlsx, without a password.",
    "workbook-unreadable": "The workbook can be opened.",
    "workbook-zip-bomb": "A workbook unpacks to a reasonable size.",
    "workbook-macros": "A workbook has no macros.",
    "workbook-external-link": "A workbook draws on nothing outside itself.",
    "workbook-sheet-missing": "The sheets Metadata, Recipients and Shares are there.",
    "workbook-sheet-duplicate": "Each sheet is there once.",
    "workbook-sheet-unknown": "Other sheets are not read; a name that is nearly right is refused.",
    "workbook-version": "A workbook's template is not newer than the program; an older one is warned of.",
    "workbook-hidden": "What is read is visible.",
    "workbook-header": "The first row of a sheet names its columns, each once.",
    "workbook-value-without-header": "Every value stands under a column name.",
    "workbook-continuation": "A row named + adds to the lists of the row above, and to nothing else.",
    "workbook-merged-cells": "Cells are not merged.",
    "workbook-formula": "A cell holds a value, or a formula whose result is stored in the file.",
    "workbook-formula-result": "A formula's stored result is taken as it is.",
    "workbook-error-cell": "No cell holds an error such as #REF!.",
    "workbook-number": "Cells hold text: Excel changes what is typed when it makes a number or a date of it.",
    "workbook-too-many-rows": "A sheet has at most 20,000 rows and 64 columns, a workbook at most 100,000 values.",
    "workbook-row-unplaced": "A row of DataObjects or FederationPolicies names a share or recipient of the workbook.",
    "workbook-pairs": "Properties are lines of name=value.",
}
_SHAPE = {
    "null-value": "A key has a value, or is left out.",
    "key-duplicate": "A key stands once in a mapping, a field once on the Metadata sheet.",
    "key-unknown": "Only known keys and columns are used.",
    "key-missing": "Required keys are there.",
    "text-expected": "The value is text.",
    "list-expected": "The value is a list.",
    "mapping-expected": "The value is a mapping of keys to values.",
    "boolean-expected": "The value is true or false.",
    "integer-expected": "The value is a whole number of at most 18 digits.",
}
_CONTENT = {
    "text-empty": "A required text is not empty.",
    "text-too-long": "A text is not longer than what stores it.",
    "text-control-character": "A text holds no control characters and nothing that reorders it on screen.",
    "email-invalid": "An e-mail address is one.",
    "strategy-unknown": "The strategy is NEW or UPDATE.",
    "drift-unknown": "Drift is correct or report.",
    "name-invalid": "Databricks names hold no space, dot, slash or control character.",
    "name-too-long": "Databricks names have at most 255 characters.",
    "name-duplicate": "A name is declared once in a pack, whatever its letter case.",
    "list-duplicate": "A value stands once in a list, whatever its letter case or notation.",
    "renamed-from-itself": "A resource was not called what it is called, whatever the letter case.",
}
_RECIPIENT = {
    "recipient-type-unknown": "A recipient is D2O, OIDC or D2D.",
    "recipient-email-missing": "A D2O recipient has an e-mail address.",
    "recipient-metastore-missing": "A D2D recipient has a metastore id.",
    "recipient-metastore-invalid": "A metastore id is <cloud>:<region>:<uuid>.",
    "recipient-field-not-for-type": "D2D has a metastore_id and no allowed_ips, D2O has tokens, OIDC has policies.",
    "recipient-fields-clash": "expires_at stands alone; rotation_overlap stands with rotate_every.",
    "property-name-invalid": "A property has a name that is seen, of at most 255 characters.",
    "property-reserved": "Properties that begin with databricks. belong to the server.",
    "expiry-invalid": "An expiry is YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ.",
    "expiry-past": "A token's end in the past is warned of only: a file does not turn unreadable overnight.",
    "duration-invalid": "A span of time is in days, weeks or hours: 90d, 12w, 36h.",
    "duration-out-of-range": "A token lives 1 to 365 days and is replaced after at least one.",
    "rotation-overlap-too-long": "A token is replaced less often than the old one goes on beside the new one.",
    "token-ends-before-rotation": "A token that ends before it is replaced is warned of.",
    "policy-name-invalid": "A federation policy's name is of lower-case letters, digits and hyphens.",
    "policy-issuer-invalid": "A federation policy's issuer is an https URL.",
    "policy-claim-unknown": "A subject claim is oid, azp, groups or sub.",
    "metastore-duplicate": "Databricks takes one recipient per metastore id and workspace.",
    "allowed-ip-invalid": "An allowed IP is an IPv4 address or a CIDR range.",
    "allowed-ip-host-bits": "A CIDR range starts at its network address.",
    "allowed-ip-v6": "Databricks takes no IPv6 addresses.",
    "allowed-ips-too-many": "A recipient has at most 100 allowed IPs.",
}
_SHARE = {
    "storage-root-invalid": "A storage root is the URL of cloud storage.",
    "data-object-invalid": "A data object is catalog.schema or catalog.schema.table, as its type asks for.",
    "object-type-unknown": "A data object's type is one that Databricks shares.",
    "object-field-not-for-type": "Options are for tables, history also for schemas, content for notebooks.",
    "objects-too-many": "A share has at most 1,000 tables, volumes, models or functions, 500 schemas, 100 notebooks.",
    "history-cdf-clash": "History and cdf are not shared together.",
    "start-version-invalid": "A start_version is 0 or more.",
    "alias-invalid": "An alias is schema.name in letters, digits and underscores, a notebook's is a file name.",
    "alias-duplicate": "An alias stands once in a share for objects of one kind, whatever its letter case.",
    "partition-invalid": "A partition is column = 'value', LIKE, = recipient.property or IS NULL, joined by AND.",
    "notebook-content-missing": "A notebook has content.",
    "notebook-path-invalid": "A notebook's content is a file of the packs folder, and no pack.",
    "notebook-not-found": "A notebook's file is there.",
    "notebook-empty": "A notebook's file is not empty.",
    "notebook-too-large": "A notebook's file has at most 10 MB.",
    "pipelines-not-supported": "Pipelines are not supported yet.",
}
_REVIEWED = {
    "allow-action-invalid": "An exception is in the words of an objection: delete:share/NAME.",
    "allow-until-invalid": "An exception ends on a day, YYYY-MM-DD.",
    "allow-until-too-far": "An exception ends within a year.",
    "allow-expired": "An exception that has ended is warned of only: it does not count any more.",
    "allow-foreign": "A pack allows what happens to its own resources, not to another's.",
    "allow-without-resource": "An exception for a resource that the pack does not declare is warned of.",
    "release-invalid": "What is released is share/NAME or recipient/NAME.",
    "release-declared": "What is released is not declared.",
}
_ACROSS = {
    "business-line-unknown": "The business line is in tenants.yaml.",
    "region-unknown": "The business line has the region.",
    "region-missing": "With several regions, a pack says which.",
    "catalog-not-allowed": "The business line may share from the catalog.",
    "pack-duplicate": "Business line and project name belong to one pack.",
    "resource-duplicate": "A recipient or share is declared once in a workspace.",
    "workspace-too-many": "A workspace holds at most 1,000 shares and 5,000 recipients.",
    "renamed-from-declared": "An old name is not that of a declared resource.",
    "renamed-from-twice": "A resource is renamed to one name.",
    "recipient-unknown": "A share's recipients are declared in its business line and workspace.",
    "recipient-not-lent": "A recipient of another business line is lent by it, in tenants.yaml.",
    "waits-for-file": "What a pack refers to can be read.",
}
_TENANTS = {
    "tenants-place": "There is one tenants file, at the top of the packs folder.",
    "tenant-duplicate": "A business line stands once in tenants.yaml.",
    "tenant-workspace-invalid": "A workspace is an https URL of a host.",
    "tenant-borrower-unknown": "A business line lends its recipients to business lines that there are.",
    "tenant-catalog-invalid": "A catalog is a Databricks name.",
}

RULES: Final[Mapping[str, str]] = MappingProxyType(
    _FILE | _YAML | _WORKBOOK | _SHAPE | _CONTENT | _RECIPIENT | _SHARE | _REVIEWED | _ACROSS | _TENANTS
)
