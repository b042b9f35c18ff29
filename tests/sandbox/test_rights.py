"""Rights as an administrator changes them, through the control surface, and what they do to shares."""

import pytest
from databricks.sdk import WorkspaceClient

from reconciler.sandbox import ControlClient, Sandbox, Seed, SeedError
from reconciler.sandbox.control_client import ControlRefused
from tests.sandbox.conftest import Connect
from tests.sandbox.plain import ADMIN, GUEST, OWNER, SALES, Plain, an_add

TRANSACTIONS = f"{SALES}.transactions"
GUEST_NAME = "guest@sandbox.example"


@pytest.mark.parametrize(
    ("securable", "name", "privilege"),
    [
        ("CATALOG", "prod_catalog", "USE_CATALOG"),
        ("SCHEMA", SALES, "USE_SCHEMA"),
        ("TABLE", TRANSACTIONS, "SELECT"),
        ("VOLUME", f"{SALES}.invoices", "READ_VOLUME"),
        ("FUNCTION", f"{SALES}.mask_email", "EXECUTE"),
        ("FUNCTION", f"{SALES}.churn_model", "EXECUTE"),
    ],
)
def test_grants_by_hand_are_effective_below(
    workspace: WorkspaceClient, control: ControlClient, securable: str, name: str, privilege: str
) -> None:
    """Contract 5.4: each securable has its effective permissions, and a principal can be asked for."""

    def effective() -> set[str]:
        found = workspace.grants.get_effective(securable, name, principal=GUEST_NAME, max_results=0)
        rows = found.privilege_assignments or []
        assert {row.principal for row in rows} <= {GUEST_NAME}
        return {each.privilege.value for row in rows for each in row.privileges or [] if each.privilege}

    assert effective() == set()
    control.grant(securable, name, GUEST_NAME, privilege)
    assert effective() == {privilege}
    control.revoke(securable, name, GUEST_NAME, "ALL_PRIVILEGES")
    assert effective() == set()
    control.grant("CATALOG", "prod_catalog", GUEST_NAME, "BROWSE")
    assert effective() == {"BROWSE"}


def test_effective_metastore_privileges_are_ones_own(connect: Connect, control: ControlClient) -> None:
    summary = connect(GUEST).metastores.summary()
    assert summary.metastore_id
    control.grant("METASTORE", "", GUEST_NAME, "CREATE_SHARE")
    rows = connect(GUEST).grants.get_effective("metastore", summary.metastore_id).privilege_assignments or []
    assert [row.principal for row in rows] == [GUEST_NAME]
    assert connect(GUEST).shares.create("guests").owner == GUEST_NAME


def test_a_grant_taken_away_denies_the_object(plain: Plain, control: ControlClient) -> None:
    plain.as_(OWNER).a_share("sales", TRANSACTIONS)
    assert plain.objects()[0]["status"] == "ACTIVE"
    control.revoke("CATALOG", "prod_catalog", "data-owners", "ALL_PRIVILEGES")
    assert plain.objects()[0]["status"] == "PERMISSION_DENIED"
    for securable, name, privilege in (
        ("CATALOG", "prod_catalog", "USE_CATALOG"),
        ("SCHEMA", SALES, "USE_SCHEMA"),
        ("TABLE", TRANSACTIONS, "SELECT"),
    ):
        assert plain.objects()[0]["status"] == "PERMISSION_DENIED"
        control.grant(securable, name, "data-owners", privilege)
    assert plain.objects()[0]["status"] == "ACTIVE"


def test_the_sharing_scope_can_be_narrowed(plain: Plain, control: ControlClient) -> None:
    assert control.metastore(delta_sharing_scope="INTERNAL")["delta_sharing_scope"] == "INTERNAL"
    assert plain.post("recipients", {"name": "x", "authentication_type": "TOKEN"}).error == (404, "FEATURE_DISABLED")
    assert plain.get("metastore_summary").body["delta_sharing_scope"] == "INTERNAL"


def test_whoever_owns_the_metastore_administers_it(plain: Plain, control: ControlClient) -> None:
    plain.as_(OWNER).a_recipient()
    assert len(plain.get("recipients").body["recipients"]) == 1
    control.metastore(owner="data-owners")
    assert plain.get("recipients").body == {}
    metastore = plain.get("metastore_summary").body["metastore_id"]
    assert plain.patch(f"metastores/{metastore}", {"new_name": "x"}).status == 403
    assert plain.as_(OWNER).patch(f"metastores/{metastore}", {"new_name": "x"}).status == 200


def test_several_administrators_own_the_metastore_as_a_group() -> None:
    seed = f"principals: {{a@b.c: {{token: {ADMIN}, admin: true}}, d@e.f: {{token: {OWNER}, admin: true}}}}"
    with Sandbox(Seed.from_yaml(seed)).serving() as url:
        plain = Plain(url)
        assert plain.get("metastore_summary").body["owner"] == "metastore-admins"
        for token in (ADMIN, OWNER):
            groups = plain.as_(token).get("/api/2.0/preview/scim/v2/Me").body["groups"]
            assert [each["display"] for each in groups] == ["metastore-admins"]
            assert plain.as_(token).post("shares", {"name": f"of-{token}"}).status == 200


def test_an_administrator_that_does_not_own_the_metastore_is_a_wrong_seed() -> None:
    with pytest.raises(SeedError, match="but the metastore belongs to x@y"):
        Seed.from_yaml("metastore: {owner: x@y.z}\nprincipals: {a@b.c: {token: t, admin: true}}")


def test_tokens_are_told_without_secrets(plain: Plain, control: ControlClient) -> None:
    secret = plain.a_recipient()["activation_url"].rpartition("?")[2]
    plain.post("recipients/partner/rotate-token", {"existing_token_expire_in_seconds": 60})
    control.advance_clock(61)
    old, new = control.tokens("partner")
    assert (old["is_live"], new["is_live"]) == (False, True)
    assert not new["is_activated"]
    assert new["created_at"] >= old["created_at"]
    assert secret not in str(control.tokens("partner"))


@pytest.mark.parametrize(
    ("securable", "name", "fragment"),
    [("TABLE", f"{SALES}.nope", "does not exist"), ("SHARE", "x", "is not a valid securable type")],
)
def test_grants_by_hand_name_what_is_there(control: ControlClient, securable: str, name: str, fragment: str) -> None:
    with pytest.raises(ControlRefused, match=fragment):
        control.grant(securable, name, GUEST_NAME, "SELECT")


def test_history_cannot_be_turned_off_where_it_is_needed(plain: Plain) -> None:
    """Contract 4.4: deletion vectors or column mapping are shared with history only; on UPDATE it is UNCONFIRMED."""
    plain.a_share()
    for name in (f"{SALES}.order_events", "prod_catalog.features.embeddings"):
        refused = plain.patch("shares/sales", {"updates": [an_add(name)]})
        assert "deletion vectors or column mapping" in refused.body["message"]
        adds = {"updates": [an_add(name, history_data_sharing_status="ENABLED")]}
        assert plain.patch("shares/sales", adds).status == 200
        off = an_add(name, history_data_sharing_status="DISABLED") | {"action": "UPDATE"}
        assert plain.patch("shares/sales", {"updates": [off]}).error == (400, "INVALID_PARAMETER_VALUE")
        note = an_add(name, comment="as it was") | {"action": "UPDATE"}
        assert plain.patch("shares/sales", {"updates": [note]}).status == 200


def test_foreign_tables_and_feature_specs_can_be_shared(plain: Plain) -> None:
    plain.a_share()
    updates = [
        an_add("erp_catalog.finance.ledger", "FOREIGN_TABLE"),
        an_add("prod_catalog.features.customer_features", "FEATURE_SPEC", string_shared_as="ml.features"),
    ]
    assert plain.patch("shares/sales", {"updates": updates}).status == 200
    shared = {each["data_object_type"]: each for each in plain.objects()}
    assert shared["FOREIGN_TABLE"]["shared_as"] == "finance.ledger"
    assert shared["FEATURE_SPEC"]["string_shared_as"] == "ml.features"


def test_two_aliases_of_one_source_may_come_and_go_in_one_patch_by_the_knob(
    plain: Plain, control: ControlClient
) -> None:
    """Contract 4.4: UNCONFIRMED; the message about duplicates lists shared names."""
    plain.a_share()
    both = [an_add(TRANSACTIONS, shared_as="a.one"), an_add(TRANSACTIONS, shared_as="a.two")]
    assert plain.patch("shares/sales", {"updates": both}).error == (400, "INVALID_PARAMETER_VALUE")
    control.knobs(same_source_two_aliases="accept")
    assert plain.patch("shares/sales", {"updates": both}).status == 200
    gone = [each | {"action": "REMOVE"} for each in both]
    assert plain.patch("shares/sales", {"updates": [both[0] | {"action": "UPDATE"}] * 2}).status == 400
    assert plain.patch("shares/sales", {"updates": gone}).status == 200
    assert plain.objects() == []
