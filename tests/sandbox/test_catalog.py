"""Catalog reads, grants and the metastore, held to the contract."""

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import Privilege, TableType

from reconciler.sandbox import ControlClient, example_text
from tests.sandbox.conftest import Connect
from tests.sandbox.plain import GUEST, OWNER, SALES, USER, Plain

DENIED = (403, "PERMISSION_DENIED")


def test_sdk_reads_the_catalog(workspace: WorkspaceClient) -> None:
    """Contract 5.1, 5.2: catalogs, schemas, tables, volumes, functions and models, by list and by name."""
    assert {each.name for each in workspace.catalogs.list()} == {
        "prod_catalog",
        "catalog",
        "erp_catalog",
        "hr_catalog",
    }
    assert workspace.catalogs.get("PROD_catalog").full_name == "prod_catalog"
    assert {each.name for each in workspace.schemas.list("catalog")} == {"schema", "audit_schema"}
    assert workspace.schemas.get(SALES).catalog_name == "prod_catalog"
    table = workspace.tables.get(f"{SALES}.Orders_By_Region")
    assert table.table_type is TableType.MANAGED
    assert [(each.name, each.partition_index) for each in table.columns or []] == [
        ("id", None),
        ("amount", None),
        ("region", 0),
        ("sold_on", 1),
    ]
    assert workspace.tables.get(f"{SALES}.revenue_by_country").view_definition
    assert [each.name for each in workspace.volumes.list("prod_catalog", "sales")] == ["invoices"]
    assert workspace.volumes.read(f"{SALES}.invoices").full_name == f"{SALES}.invoices"
    assert [each.name for each in workspace.functions.list("prod_catalog", "sales")] == ["mask_email"]
    assert workspace.functions.get(f"{SALES}.mask_email").schema_name == "sales"
    assert [each.name for each in workspace.registered_models.list()] == ["churn_model"]
    assert workspace.registered_models.get(f"{SALES}.churn_model").name == "churn_model"
    with pytest.raises(NotFound):
        workspace.tables.get(f"{SALES}.nope")


def test_summaries_take_like_patterns(workspace: WorkspaceClient) -> None:
    """Contract 5.1: schema_name_pattern and table_name_pattern are SQL LIKE patterns; always paged (1.9)."""
    found = workspace.tables.list_summaries("prod_catalog", schema_name_pattern="s_les", table_name_pattern="%re%")
    names = {(each.full_name or "").rpartition(".")[2] for each in found}
    assert names == {"refunds", "revenue_by_country", "daily_revenue", "orders_by_region"}


def test_columns_can_be_left_out(plain: Plain) -> None:
    """Contract 5.1: omit_columns."""
    tables = plain.get("tables?catalog_name=prod_catalog&schema_name=sales&omit_columns=true").body["tables"]
    assert tables
    assert not any("columns" in each for each in tables)


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("tables/nope.s.t", (404, "CATALOG_DOES_NOT_EXIST"), "Catalog 'nope' does not exist."),
        ("tables/catalog.nope.t", (404, "SCHEMA_DOES_NOT_EXIST"), "Schema 'catalog.nope' does not exist."),
        ("tables/catalog.schema.nope", (404, "TABLE_DOES_NOT_EXIST"), "Table 'catalog.schema.nope' does not exist."),
        ("tables/catalog.nope.t/exists", (404, "SCHEMA_DOES_NOT_EXIST"), "Schema 'catalog.nope' does not exist."),
        ("tables/t", (400, "INVALID_PARAMETER_VALUE"), "invalid table name t: it must have 3 parts"),
        ("volumes/catalog.schema.v", (404, "VOLUME_DOES_NOT_EXIST"), "Volume 'catalog.schema.v' does not exist."),
        ("functions/catalog.schema.f", (404, "RESOURCE_DOES_NOT_EXIST"), "Function 'catalog.schema.f' does not exist."),
        ("catalogs/nope", (404, "CATALOG_DOES_NOT_EXIST"), "Catalog 'nope' does not exist."),
        (
            "tables?catalog_name=catalog",
            (400, "INVALID_PARAMETER_VALUE"),
            "ListTables Missing required field: schema_name",
        ),
        ("permissions/thing/x", (400, "INVALID_PARAMETER_VALUE"), "thing is not a valid securable type"),
    ],
)
def test_missing_things_are_named(plain: Plain, path: str, error: tuple[int, str], message: str) -> None:
    """Contract 5.3: the outermost missing part is named. Codes of functions and models are UNCONFIRMED."""
    answer = plain.get(path)
    assert answer.error == error
    assert answer.body["message"] == message


def test_exists_answers_for_a_missing_table(workspace: WorkspaceClient) -> None:
    """Contract 5.3: 200 with table_exists, true or false."""
    assert workspace.tables.exists(f"{SALES}.refunds").table_exists is True
    assert workspace.tables.exists(f"{SALES}.nope").table_exists is False


def test_lists_show_what_the_caller_may_see(plain: Plain) -> None:
    """Contract 5.3: lists are filtered, names are refused. A user with SELECT on the schema lacks USE_CATALOG here."""
    guest, user, owner = plain.as_(GUEST), plain.as_(USER), plain.as_(OWNER)
    sales = "tables?catalog_name=prod_catalog&schema_name=sales"
    assert guest.get("catalogs").body == guest.get(sales).body == user.get(sales).body == {}
    assert guest.get(f"tables/{SALES}.refunds").error == DENIED
    changes = [{"principal": "data-readers", "add": ["USE CATALOG"]}]
    plain.patch("permissions/catalog/prod_catalog", {"changes": changes})
    assert len(user.get(sales).body["tables"]) == 8
    assert user.get("volumes?catalog_name=prod_catalog&schema_name=sales").body == {}
    assert [each["name"] for each in owner.get("catalogs").body["catalogs"]] == ["prod_catalog"]
    assert owner.get("schemas?catalog_name=hr_catalog").body == {}
    assert guest.get("catalogs/catalog").error == DENIED


def test_grants_are_united_and_taken_away(workspace: WorkspaceClient, plain: Plain) -> None:
    """Contract 5.4: add is a union, ALL_PRIVILEGES in remove clears, spaces become underscores, empty is {}."""
    path = "permissions/table/catalog.schema.revenue_table"
    add = {"principal": "data-readers", "add": ["SELECT", "MODIFY"]}
    for _ in range(2):
        assert plain.patch(path, {"changes": [add]}).body["privilege_assignments"] == [
            {"principal": "data-readers", "privileges": ["MODIFY", "SELECT"]}
        ]
    exactly = {"principal": "data-readers", "remove": ["ALL PRIVILEGES"], "add": ["SELECT"]}
    plain.patch(path, {"changes": [exactly]})
    (row,) = workspace.grants.get("TABLE", "catalog.schema.revenue_table").privilege_assignments or []
    assert row.privileges == [Privilege.SELECT]
    plain.patch(path, {"changes": [{"principal": "data-readers", "remove": ["SELECT"]}]})
    assert plain.get(path).body == {}
    assert plain.patch(path, {"changes": [add]}).status == 200
    assert plain.patch(path, {"changes": [{"principal": "nobody", "add": ["SELECT"]}]}).error == (
        404,
        "PRINCIPAL_DOES_NOT_EXIST",
    )
    assert plain.as_(GUEST).patch(path, {"changes": [add]}).error == DENIED


def test_who_is_no_owner_sees_only_the_own_grants(plain: Plain) -> None:
    """Contract 5.4 says who grants; what others see of a list is UNCONFIRMED: their own."""
    path = "permissions/schema/prod_catalog.marketing"
    changes = [{"principal": each, "add": ["USE_SCHEMA"]} for each in ("data-owners", "data-readers")]
    plain.patch(path, {"changes": changes})
    assert len(plain.get(path).body["privilege_assignments"]) == 2
    (mine,) = plain.as_(OWNER).get(path).body["privilege_assignments"]
    assert mine["principal"] == "data-owners"
    assert plain.as_(OWNER).get(f"{path}?principal=data-readers").body == {}
    metastore = plain.get("metastore_summary").body["metastore_id"]
    (held,) = plain.as_(USER).get(f"permissions/metastore/{metastore}").body["privilege_assignments"]
    assert held["privileges"] == ["USE_RECIPIENT", "USE_SHARE"]
    assert plain.get("permissions/metastore/other").status == plain.get("permissions/table/a.b.c").status == 404


def test_the_metastore_is_changed_by_administrators(plain: Plain) -> None:
    """Contract 5.1: PATCH /metastores/{id}; a lifetime of 0 is no longer allowed (2.5)."""
    path = f"metastores/{plain.get('metastore_summary').body['metastore_id']}"
    field = "delta_sharing_recipient_token_lifetime_in_seconds"
    assert plain.as_(USER).get(path).error == plain.as_(USER).patch(path, {field: 60}).error == DENIED
    for seconds in (0, 31_536_001):
        assert plain.patch(path, {field: seconds}).error == (400, "INVALID_PARAMETER_VALUE")
    assert plain.patch(path, {"delta_sharing_organization_name": "us"}).status == 200
    assert plain.get(path).body["delta_sharing_organization_name"] == "us"
    assert plain.get("metastores/other").error == (404, "METASTORE_DOES_NOT_EXIST")


def test_effective_grants_name_where_they_come_from(workspace: WorkspaceClient) -> None:
    """Contract 5.4: inherited privileges carry their origin, direct ones do not."""
    found = workspace.grants.get_effective("table", f"{SALES}.refunds", principal="data-owners")
    (row,) = found.privilege_assignments or []
    (held,) = row.privileges or []
    assert (held.privilege, held.inherited_from_name) == (Privilege.ALL_PRIVILEGES, "prod_catalog")


def test_grants_pages_are_long_or_refused(plain: Plain) -> None:
    """Contract 1.9: for grants max_results is 0 or at least 150."""
    path = "permissions/catalog/prod_catalog?max_results="
    assert plain.get(f"{path}149").error == (400, "INVALID_PARAMETER_VALUE")
    assert plain.get(f"{path}150").status == plain.get(f"{path}0").status == 200


def test_metastore_and_assignment(workspace: WorkspaceClient, connect: Connect) -> None:
    """Contract 5.1, 5.2: summary, assignment and, for administrators, the list."""
    summary = workspace.metastores.summary()
    assert summary.global_metastore_id == f"{summary.cloud}:{summary.region}:{summary.metastore_id}"
    assert workspace.metastores.current().metastore_id == summary.metastore_id
    assert [each.metastore_id for each in workspace.metastores.list()] == [summary.metastore_id]
    assert connect(GUEST).metastores.summary() == summary


def test_without_sharing_every_sharing_call_is_refused(plain: Plain, control: ControlClient) -> None:
    """Contract 2.7, 9.25: 404 FEATURE_DISABLED "Delta Sharing is not enabled"."""
    control.seed("metastore: {sharing: disabled}\nprincipals: {a@b.c: {token: dapi-sandbox-admin, admin: true}}")
    for path in ("recipients", "shares", "shares/x"):
        answer = plain.get(path)
        assert answer.error == (404, "FEATURE_DISABLED")
        assert answer.body["message"] == "Delta Sharing is not enabled"
    assert plain.get("metastore_summary").status == 200
    control.seed(example_text())


def test_only_who_may_change_a_table_gives_it_away(plain: Plain) -> None:
    """Contract 5.1: PATCH of a table's owner."""
    path = f"tables/{SALES}.refunds"
    assert plain.as_(OWNER).patch(path, {"owner": "owner@sandbox.example"}).error == DENIED
    assert plain.patch(path, {"owner": "owner@sandbox.example"}).status == 200
    assert plain.get(path).body["owner"] == "owner@sandbox.example"
    assert plain.as_(OWNER).delete(path).status == 200
