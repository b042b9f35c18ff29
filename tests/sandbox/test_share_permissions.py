"""Who may read a share: its permissions, held to the contract."""

from collections.abc import Mapping

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sharing import PermissionsChange

from reconciler.sandbox import ControlClient
from tests.sandbox.plain import OWNER, USER, Answer, Plain


@pytest.fixture(autouse=True)
def _world(control: ControlClient, plain: Plain) -> None:
    del control
    plain.a_recipient("alice")
    plain.a_recipient("bob")
    plain.a_share()


def change(plain: Plain, *changes: Mapping[str, object], **more: object) -> Answer:
    return plain.patch("shares/sales/permissions", {"changes": list(changes), **more})


def holders(plain: Plain) -> set[str]:
    return {each["principal"] for each in plain.get("shares/sales/permissions").body.get("privilege_assignments", [])}


def test_sdk_grants_and_revokes(workspace: WorkspaceClient) -> None:
    """Contract 4.6: principals are recipient names; the answer lists who holds what."""
    given = workspace.shares.update_permissions("sales", changes=[PermissionsChange(principal="alice", add=["SELECT"])])
    assert [each.principal for each in given.privilege_assignments or []] == ["alice"]
    assert workspace.shares.share_permissions("sales").privilege_assignments == given.privilege_assignments
    taken = workspace.shares.update_permissions(
        "sales", changes=[PermissionsChange(principal="alice", remove=["SELECT"])]
    )
    assert not taken.privilege_assignments


def test_adding_twice_and_removing_nothing_are_no_errors(plain: Plain) -> None:
    """Contract 4.6: add is a union, remove of what is not granted a no-op. UNCONFIRMED for an unknown recipient."""
    add = {"principal": "ALICE", "add": ["select"]}
    assert change(plain, add).status == change(plain, add).status == 200
    assert change(plain, {"principal": "bob", "remove": ["SELECT"]}).status == 200
    assert change(plain, {"principal": "nobody", "remove": ["SELECT"]}).status == 200
    assert holders(plain) == {"alice"}


def test_nothing_granted_is_an_empty_object_by_default(plain: Plain, control: ControlClient) -> None:
    """Contract 4.1: empty lists are left out of answers; a knob sends them."""
    assert plain.get("shares/sales/permissions").body == {}
    control.knobs(empty_lists_omitted=False)
    assert plain.get("shares/sales/permissions").body == {"privilege_assignments": []}
    assert plain.get("shares/sales?include_shared_data=true").body["objects"] == []


def test_an_unknown_recipient_cannot_be_granted(plain: Plain, control: ControlClient) -> None:
    """Contract 4.6: UNCONFIRMED which of two codes, hence a knob; nothing else of the PATCH is done."""
    changes = ({"principal": "bob", "add": ["SELECT"]}, {"principal": "nobody", "add": ["SELECT"]})
    answer = change(plain, *changes)
    assert answer.error == (404, "PRINCIPAL_DOES_NOT_EXIST")
    assert answer.body["message"] == "Could not find principal with name nobody"
    control.knobs(unknown_share_principal="RECIPIENT_DOES_NOT_EXIST")
    assert change(plain, *changes).error == (404, "RECIPIENT_DOES_NOT_EXIST")
    assert holders(plain) == set()


@pytest.mark.parametrize("body", [{}, {"changes": []}, {"changes": None}])
def test_empty_changes_are_an_error(plain: Plain, body: dict[str, object]) -> None:
    """Contract 4.6: "Missing required field: permissions_diff"; the status is UNCONFIRMED."""
    answer = plain.patch("shares/sales/permissions", body)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "Missing required field: permissions_diff" in answer.body["message"]


def test_adding_and_removing_one_privilege_is_an_error(plain: Plain) -> None:
    """Contract 4.6."""
    answer = change(plain, {"principal": "alice", "add": ["SELECT"], "remove": ["SELECT"]})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert answer.body["message"] == "Duplicate privileges to add and delete for principal alice."


def test_only_select_can_be_granted(plain: Plain) -> None:
    """Contract 4.6: the only useful privilege is SELECT. UNCONFIRMED: others are refused."""
    assert change(plain, {"principal": "alice", "add": ["MODIFY"]}).error == (400, "INVALID_PARAMETER_VALUE")


def test_the_list_can_be_left_out_of_the_answer(plain: Plain) -> None:
    """Contract 4.6: omit_permissions_list."""
    assert change(plain, {"principal": "alice", "add": ["SELECT"]}, omit_permissions_list=True).body == {}
    assert holders(plain) == {"alice"}


def test_granting_takes_rights_on_share_and_recipient(plain: Plain) -> None:
    """Contract 4.6: share rights by ownership or both privileges; new grants need the recipient's owner too."""
    add, remove = {"principal": "alice", "add": ["SELECT"]}, {"principal": "alice", "remove": ["SELECT"]}
    assert change(plain.as_(USER), add).error == (403, "PERMISSION_DENIED")
    not_mine = change(plain.as_(OWNER), add)
    assert not_mine.error == (403, "PERMISSION_DENIED")
    assert "User is not an owner of Recipient 'alice'" in not_mine.body["message"]
    change(plain, add)
    assert change(plain.as_(OWNER), add).status == 200, "granted already, so nothing new"
    assert change(plain.as_(OWNER), remove).status == 200, "revoking needs nothing on the recipient"


def test_permission_changes_bump_updated_at_by_the_knob(plain: Plain, control: ControlClient) -> None:
    """Contract 4.6: unknown whether a permission change bumps share.updated_at; not bumped by default."""
    before = plain.get("shares/sales").body["updated_at"]
    control.advance_clock(60)
    change(plain, {"principal": "alice", "add": ["SELECT"]})
    assert plain.get("shares/sales").body["updated_at"] == before
    control.knobs(permission_change_bumps_updated_at=True)
    change(plain, {"principal": "bob", "add": ["SELECT"]})
    assert plain.get("shares/sales").body["updated_at"] > before


def test_the_generic_grants_route_shows_the_same(plain: Plain) -> None:
    """Contract 4.1: /permissions/share/{name}. UNCONFIRMED."""
    change(plain, {"principal": "alice", "add": ["SELECT"]})
    assert plain.get("permissions/share/sales").body == plain.get("shares/sales/permissions").body
