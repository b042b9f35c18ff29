"""Look-ups: which type an object has, what it takes to share it, and who certainly cannot."""

from collections import Counter
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.resolve import CatalogObject, Sought
from reconciler.core.share import ObjectType
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import UC, answer

SALES = "prod_catalog.sales"
ME, OWNER, ANALYST, GUEST = (f"{name}@sandbox.example" for name in ("sharepack", "owner", "analyst", "guest"))


def sought(name: str, kind: Managed[ObjectType] = UNMANAGED, reader: str = "") -> Sought:
    return Sought(name, kind, reader)


async def looked_up(platform: DatabricksPlatform, url: str, one: Sought) -> CatalogObject:
    entry = (await platform.look_up(url, [one]))[one]
    assert entry is not None
    return entry


async def types(platform: DatabricksPlatform, url: str, *wanted: Sought) -> dict[str, ObjectType | None]:
    catalog = await platform.look_up(url, wanted)
    return {each.name: None if entry is None else entry.type for each, entry in catalog.items()}


async def lacking(platform: DatabricksPlatform, url: str, name: str, reader: str = "", **kind: ObjectType) -> str:
    return (await looked_up(platform, url, sought(name, kind.get("kind", UNMANAGED), reader))).lacking


async def test_types_are_looked_up_by_name(platform: DatabricksPlatform, url: str) -> None:
    sales = {
        "customers": ObjectType.TABLE,
        "revenue_by_country": ObjectType.VIEW,
        "daily_revenue": ObjectType.MATERIALIZED_VIEW,
        "live_orders": ObjectType.STREAMING_TABLE,
        "invoices": ObjectType.VOLUME,
        "mask_email": ObjectType.FUNCTION,
        "churn_model": ObjectType.MODEL,
        "nothing": None,
    }
    expected = {f"{SALES}.{name}": kind for name, kind in sales.items()}
    expected |= {"prod_catalog.nowhere.x": None, "nowhere.sales.x": None}
    expected |= {"erp_catalog.finance.ledger": ObjectType.FOREIGN_TABLE}
    assert await types(platform, url, *map(sought, expected)) == expected


@pytest.mark.parametrize(
    ("name", "said", "found"),
    [
        ("prod_catalog.sales", ObjectType.SCHEMA, ObjectType.SCHEMA),
        ("prod_catalog.nowhere", ObjectType.SCHEMA, None),
        ("nowhere.sales", ObjectType.SCHEMA, None),
        (f"{SALES}.customers", ObjectType.VIEW, ObjectType.TABLE),
        (f"{SALES}.customers", ObjectType.VOLUME, ObjectType.TABLE),
        (f"{SALES}.invoices", ObjectType.TABLE, ObjectType.VOLUME),
        (f"{SALES}.invoices", ObjectType.VOLUME, ObjectType.VOLUME),
        (f"{SALES}.churn_model", ObjectType.FUNCTION, ObjectType.MODEL),
        (f"{SALES}.churn_model", ObjectType.MODEL, ObjectType.MODEL),
        (f"{SALES}.mask_email", ObjectType.FEATURE_SPEC, ObjectType.FEATURE_SPEC),
        (f"{SALES}.customers", ObjectType.FEATURE_SPEC, ObjectType.TABLE),
        (f"{SALES}.nothing", ObjectType.FEATURE_SPEC, None),
    ],
)
async def test_what_really_is_there_is_answered(
    platform: DatabricksPlatform, url: str, name: str, said: ObjectType, found: ObjectType | None
) -> None:
    assert await types(platform, url, sought(name, said)) == {name: found}


async def test_a_notebook_is_in_no_catalog(platform: DatabricksPlatform, url: str) -> None:
    assert await platform.look_up(url, [sought("intro.py", ObjectType.NOTEBOOK_FILE)]) == {}
    assert platform.calls_made == {}


async def test_a_place_that_fits_is_asked_first(platform: DatabricksPlatform, control: ControlClient, url: str) -> None:
    control.clear_log()
    await platform.look_up(url, [sought(f"{SALES}.invoices", ObjectType.VOLUME)])
    first = next(entry["path"] for entry in control.log() if entry["path"].startswith(UC))
    assert first == f"{UC}/volumes/{SALES}.invoices"


async def test_what_a_table_is_partitioned_by_and_who_owns_it(platform: DatabricksPlatform, url: str) -> None:
    table = await looked_up(platform, url, sought(f"{SALES}.orders_by_region"))
    assert table == CatalogObject(ObjectType.TABLE, ME, frozenset({"region", "sold_on"}))
    salaries = await looked_up(platform, url, sought("hr_catalog.people.salaries", reader="hr@sandbox.example"))
    assert salaries.owner == "hr@sandbox.example"


@pytest.mark.parametrize(
    ("properties", "needs"),
    [
        ({"delta.enableDeletionVectors": "true"}, True),
        ({"delta.enableDeletionVectors": "false"}, False),
        ({"delta.columnMapping.mode": "name"}, True),
        ({"delta.columnMapping.mode": "id"}, True),
        ({"delta.columnMapping.mode": "none"}, False),
        ({}, False),
        (None, False),
    ],
)
async def test_tables_that_need_their_history(
    platform: DatabricksPlatform, control: ControlClient, url: str, properties: Any, *, needs: bool
) -> None:
    columns = [{"name": "Region", "partition_index": 0}, {"name": "id"}]
    answer(
        control,
        "tables/a.b.c",
        {"name": "c", "table_type": "MANAGED", "properties": properties, "columns": columns, "owner": ME},
    )
    table = await looked_up(platform, url, sought("a.b.c"))
    assert table == CatalogObject(ObjectType.TABLE, ME, frozenset({"region"}), needs_history=needs)


async def test_only_tables_need_their_history(platform: DatabricksPlatform, control: ControlClient, url: str) -> None:
    properties = {"delta.enableDeletionVectors": "true"}
    answer(control, "tables/a.b.c", {"name": "c", "table_type": "STREAMING_TABLE", "properties": properties})
    assert not (await looked_up(platform, url, sought("a.b.c"))).needs_history


@pytest.mark.parametrize(
    ("table_type", "kind"),
    [
        ("MANAGED", ObjectType.TABLE),
        ("EXTERNAL", ObjectType.TABLE),
        ("MANAGED_SHALLOW_CLONE", ObjectType.TABLE),
        ("EXTERNAL_SHALLOW_CLONE", ObjectType.TABLE),
        ("FOREIGN", ObjectType.FOREIGN_TABLE),
    ],
)
async def test_every_kind_of_table(
    platform: DatabricksPlatform, control: ControlClient, url: str, table_type: str, kind: ObjectType
) -> None:
    answer(control, "tables/a.b.c", {"name": "c", "table_type": table_type})
    assert await types(platform, url, sought("a.b.c")) == {"a.b.c": kind}


@pytest.mark.parametrize("table_type", ["METRIC_VIEW", "FROM_THE_FUTURE", None])
async def test_a_table_of_no_known_shareable_type_is_left_out(
    platform: DatabricksPlatform, control: ControlClient, url: str, table_type: str | None
) -> None:
    answer(control, "tables/a.b.c", {"name": "c", "table_type": table_type})
    found = await types(platform, url, sought("a.b.c"), sought(f"{SALES}.customers"))
    assert found == {f"{SALES}.customers": ObjectType.TABLE}


@pytest.mark.parametrize(
    ("status", "code"), [(403, "PERMISSION_DENIED"), (500, "INTERNAL_ERROR"), (404, "FEATURE_DISABLED")]
)
@pytest.mark.parametrize("place", ["tables", "volumes", "functions", "models"])
async def test_what_could_not_be_looked_up_is_left_out(
    platform: DatabricksPlatform, control: ControlClient, url: str, place: str, status: int, code: str
) -> None:
    control.fault(f"GET {UC}/{place}/*", status=status, error_code=code, times=0)
    assert await platform.look_up(url, [sought(f"{SALES}.nothing")]) == {}


@pytest.mark.parametrize("name", ["", "..", "one", "a.b", "a.b.c.d"])
async def test_odd_names_do_no_harm(platform: DatabricksPlatform, url: str, name: str) -> None:
    odd = sought(name)
    assert await platform.look_up(url, [odd]) in ({}, {odd: None})


async def test_each_request_is_made_once(platform: DatabricksPlatform, control: ControlClient, url: str) -> None:
    control.clear_log()
    names = [f"{SALES}.{name}" for name in ("customers", "refunds", "transactions")]
    await platform.look_up(url, [sought(name, reader=reader) for name in names for reader in ("", ME, "data-owners")])
    made = Counter((entry["path"], entry["query"]) for entry in control.log() if entry["path"].startswith("/api"))
    assert set(made.values()) == {1}
    # The owner of catalog, schema and tables needs no grant on a table; the others have theirs on the catalog.
    assert not any("effective-permissions/TABLE" in path for path, _ in made)
    assert len(made) <= 3 + 2 + 2 + 4


@pytest.mark.parametrize(
    ("reader", "name", "kind", "expected"),
    [
        ("", f"{SALES}.customers", UNMANAGED, ""),
        (ME, f"{SALES}.customers", UNMANAGED, ""),
        ("data-owners", f"{SALES}.customers", UNMANAGED, ""),
        (OWNER, f"{SALES}.customers", UNMANAGED, ""),
        ("", "hr_catalog.people.salaries", UNMANAGED, "SELECT on TABLE hr_catalog.people.salaries"),
        (GUEST, "hr_catalog.people", ObjectType.SCHEMA, "USE_CATALOG on CATALOG hr_catalog"),
        (GUEST, f"{SALES}.customers", UNMANAGED, "USE_CATALOG on CATALOG prod_catalog"),
        (ANALYST, f"{SALES}.customers", UNMANAGED, "USE_CATALOG on CATALOG prod_catalog"),
        (OWNER, "catalog.schema", ObjectType.SCHEMA, "USE_CATALOG on CATALOG catalog"),
        (OWNER, SALES, ObjectType.SCHEMA, ""),
        ("", SALES, ObjectType.SCHEMA, ""),
    ],
)
async def test_the_right_to_share_comes_from_owning_or_from_grants(
    platform: DatabricksPlatform, url: str, reader: str, name: str, kind: Managed[ObjectType], expected: str
) -> None:
    assert (await looked_up(platform, url, sought(name, kind, reader))).lacking == expected


@pytest.mark.parametrize(
    ("name", "kind", "securable", "privilege"),
    [
        (f"{SALES}.customers", ObjectType.TABLE, "TABLE", "SELECT"),
        (f"{SALES}.revenue_by_country", ObjectType.VIEW, "TABLE", "SELECT"),
        (SALES, ObjectType.SCHEMA, "SCHEMA", "SELECT"),
        (f"{SALES}.invoices", ObjectType.VOLUME, "VOLUME", "READ_VOLUME"),
        (f"{SALES}.mask_email", ObjectType.FUNCTION, "FUNCTION", "EXECUTE"),
        (f"{SALES}.churn_model", ObjectType.MODEL, "MODEL", "EXECUTE"),
        ("prod_catalog.features.customer_features", ObjectType.FEATURE_SPEC, "FUNCTION", "EXECUTE"),
    ],
)
@pytest.mark.parametrize("as_a_group", [False, True])
async def test_each_type_takes_its_privileges_one_after_the_other(
    control: ControlClient, url: str, name: str, kind: ObjectType, securable: str, privilege: str, *, as_a_group: bool
) -> None:
    """As the sandbox judges them: once nothing is lacking, the object can be shared."""
    catalog, schema = name.split(".", maxsplit=1)[0], ".".join(name.split(".")[:2])
    holder = "data-readers" if as_a_group else ANALYST
    control.revoke("SCHEMA", SALES, "data-readers", "ALL_PRIVILEGES")

    async def now() -> str:
        platform = DatabricksPlatform({"token": SecretStr("dapi-sandbox-admin")})
        try:
            return await lacking(platform, url, name, ANALYST, kind=kind)
        finally:
            await platform.close()

    assert await now() == f"USE_CATALOG on CATALOG {catalog}"
    control.grant("CATALOG", catalog, holder, "USE_CATALOG")
    assert await now() == f"USE_SCHEMA on SCHEMA {schema}"
    control.grant("SCHEMA", schema, holder, "USE_SCHEMA")
    assert await now() == f"{privilege} on {securable} {name}"
    control.grant("FUNCTION" if securable == "MODEL" else securable, name, holder, privilege)
    assert await now() == ""


@pytest.mark.parametrize("privilege", ["SELECT", "ALL_PRIVILEGES"])
async def test_a_grant_further_up_is_enough(
    platform: DatabricksPlatform, control: ControlClient, url: str, privilege: str
) -> None:
    control.grant("CATALOG", "prod_catalog", GUEST, "USE_CATALOG", "USE_SCHEMA", privilege)
    assert await lacking(platform, url, f"{SALES}.customers", GUEST) == ""


async def test_grants_on_many_pages_are_all_read(
    platform: DatabricksPlatform, control: ControlClient, url: str
) -> None:
    control.knobs(page_size=1, empty_middle_pages=True)
    control.grant("SCHEMA", SALES, GUEST, "USE_SCHEMA")
    control.grant("CATALOG", "prod_catalog", GUEST, "USE_CATALOG", "SELECT")
    assert await lacking(platform, url, f"{SALES}.customers", GUEST) == ""


@pytest.mark.parametrize(
    "pattern",
    [
        f"GET {UC}/effective-permissions/*",
        f"GET {UC}/catalogs/prod_catalog",
        f"GET {UC}/metastore_summary",
        "GET /api/2.0/preview/scim/v2/Me",
        "GET /api/2.0/preview/scim/v2/Users",
    ],
)
@pytest.mark.parametrize("status", [403, 500])
async def test_a_right_that_cannot_be_found_out_is_taken_for_given(
    platform: DatabricksPlatform, control: ControlClient, url: str, pattern: str, status: int
) -> None:
    control.fault(pattern, status=status, error_code="PERMISSION_DENIED", times=0)
    assert await lacking(platform, url, f"{SALES}.customers", GUEST) == ""


@pytest.mark.parametrize(
    "reader", ["nobody@sandbox.example", 'x" or userName pr "', "0a1b2c3d-0000-4000-8000-00000000000f"]
)
async def test_who_is_not_known_is_not_said_to_lack_anything(
    platform: DatabricksPlatform, url: str, reader: str
) -> None:
    assert await lacking(platform, url, f"{SALES}.customers", reader) == ""


async def test_who_may_not_see_the_grants_of_others_does_not_judge_them(control: ControlClient, url: str) -> None:
    """Contract 5.1: only owners and administrators see them; to others the list is empty."""
    control.grant("CATALOG", "prod_catalog", "data-readers", "USE_CATALOG")
    platform = DatabricksPlatform({"token": SecretStr("dapi-sandbox-user")})
    try:
        for reader in ("", "data-readers", "data-owners", GUEST):
            assert await lacking(platform, url, f"{SALES}.customers", reader) == ""
        control.revoke("TABLE", f"{SALES}.customers", "data-readers", "SELECT")
        control.revoke("SCHEMA", SALES, "data-readers", "SELECT")
        control.grant("TABLE", f"{SALES}.customers", ANALYST, "SELECT")
        assert await lacking(platform, url, f"{SALES}.customers") == ""
        assert await lacking(platform, url, f"{SALES}.customers", "data-readers") != ""
    finally:
        await platform.close()


async def test_everybody_counts_as_a_group(platform: DatabricksPlatform, control: ControlClient, url: str) -> None:
    control.grant("CATALOG", "prod_catalog", "account users", "USE_CATALOG", "USE_SCHEMA", "SELECT")
    assert await lacking(platform, url, f"{SALES}.customers", GUEST) == ""
