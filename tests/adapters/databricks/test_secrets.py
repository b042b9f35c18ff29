"""No activation link and no token in any log, whatever level an application chooses, nor in what is handed on."""

import base64
import hashlib
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.calls import CreateRecipient, Rename, RotateToken, UpdateRecipient, UpdateShare
from reconciler.core.key import Key, recipient_key
from reconciler.core.recipient import TokenSharing
from reconciler.core.share import NotebookContent, ObjectType, SharedObject
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import UC, assert_clean


class Everything(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.text = ""
        self.carried: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.carried += [record.exc_info[1]] if record.exc_info and record.exc_info[1] else []
        self.text += f"{record.name} {self.format(record)}\n"


@pytest.fixture
def everything(platform: DatabricksPlatform) -> Iterator[Everything]:
    """All loggers at DEBUG, as an application's `--log-level debug` would have it."""
    handler = Everything()
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    before = [(logger, logger.level) for logger in loggers]
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield handler
    logging.getLogger().removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)


async def test_no_log_holds_a_link_or_a_token(
    platform: DatabricksPlatform,
    control: ControlClient,
    recipient: Key,
    everything: Everything,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABRICKS_DEBUG_HEADERS", "true")
    monkeypatch.setenv("DATABRICKS_DEBUG_TRUNCATE_BYTES", "100000")
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    # Again with the loggers that were made by now.
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)
    await platform.perform(UpdateRecipient(recipient, comment="New"))
    await platform.observe([recipient])
    link = await platform.activation_link(recipient)
    assert link
    secret = link.rpartition("=")[2].rpartition("/")[2]
    assert len(secret) > 20
    logging.getLogger("canary").debug("the handler listens")
    assert "the handler listens" in everything.text
    assert "databricks.sdk" not in everything.text
    assert secret not in everything.text
    assert "dapi-sandbox-admin" not in everything.text


async def test_a_rotation_leaves_no_link_anywhere(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, everything: Everything
) -> None:
    """The answer of a rotation holds the links of both tokens."""
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    links = [await platform.activation_link(recipient)]
    control.advance_clock(1)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)
    receipt = await platform.perform(RotateToken(recipient, "x", 3600))
    links.append(await platform.activation_link(recipient))
    observed = await platform.observe([recipient])
    names = await platform.names(recipient.workspace, recipient.kind)
    renamed = await platform.perform(Rename(recipient_key("other", recipient.workspace), recipient.name))
    with pytest.raises(RefusedError) as refused:
        await platform.perform(RotateToken(recipient_key("other", recipient.workspace), "x", 3600))
    told = f"{receipt!r} {observed!r} {names!r} {renamed!r} {refused.value!r} {vars(refused.value)} {everything.text}"
    assert len(set(links)) == 2
    for link in links:
        assert link
        assert link.rpartition("?")[2] not in told


LINK = "https://w/delta_sharing/retrieve_config.html?canary-of-a-link"


@pytest.mark.parametrize("status", [200, 400, 500, 503])
@pytest.mark.parametrize(
    "body", [f"<html>{LINK}</html>", {"message": f"Use {LINK}"}, {"tokens": LINK}, [LINK]], ids=str
)
async def test_no_failure_of_a_rotation_quotes_a_link(
    platform: DatabricksPlatform,
    control: ControlClient,
    recipient: Key,
    everything: Everything,
    status: int,
    body: Any,
) -> None:
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    control.fault(f"POST {UC}/recipients/*/rotate-token", status=status, body=body)
    told = everything.text
    try:
        told += repr(await platform.perform(RotateToken(recipient, "x", 0)))
    except (RefusedError, UnavailableError) as failure:
        assert_clean(failure)
        told += f"{failure!r} {vars(failure)} {''.join(traceback.format_exception(failure))}"
    assert "canary" not in told + everything.text


async def test_no_record_of_a_log_carries_an_answer(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, everything: Everything
) -> None:
    """Error trackers look into the exceptions of records; that of a JSON parser holds all it was given."""
    control.fault(f"POST {UC}/recipients", status=500, body=f"<html>{LINK}</html>")
    with pytest.raises(UnavailableError):
        await platform.perform(CreateRecipient(recipient, TokenSharing()))
    logging.getLogger().debug("the handler listens", exc_info=ValueError("as told"))
    assert {str(each) for each in everything.carried} >= {"as told"}
    for each in everything.carried:
        assert "canary" not in f"{each!r} {vars(each)}"


async def test_the_content_of_a_notebook_is_not_shown(
    platform: DatabricksPlatform, share: Key, everything: Everything
) -> None:
    source = b"print('canary')"
    content = NotebookContent(hashlib.sha256(source).hexdigest(), source)
    call = UpdateShare(share, add=(SharedObject("x", ObjectType.NOTEBOOK_FILE, content=content),))
    with pytest.raises(RefusedError) as failed:
        await platform.perform(call)
    encoded = base64.b64encode(source).decode()
    for told in (repr(call), repr(failed.value), everything.text):
        assert "canary" not in told
        assert encoded not in told


async def test_no_receipt_and_no_observation_holds_the_link(platform: DatabricksPlatform, recipient: Key) -> None:
    receipt = await platform.perform(CreateRecipient(recipient, TokenSharing()))
    observed = await platform.observe([recipient])
    link = await platform.activation_link(recipient)
    assert link
    assert link.rpartition("/")[2] not in f"{receipt!r} {observed!r}"
    assert "http" not in repr(observed[recipient])


async def test_a_message_of_databricks_that_quotes_a_link_loses_it(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    message = "Already at https://w/delta_sharing/retrieve_config.html?token=canary today"
    control.fault(f"POST {UC}/recipients", status=400, error_code="INVALID_STATE", message=message)
    with pytest.raises(RefusedError) as caught:
        await platform.perform(CreateRecipient(recipient, TokenSharing()))
    assert caught.value.reason == "Already at [link removed] today"


def test_the_platform_does_not_show_its_credentials() -> None:
    platform = DatabricksPlatform({"token": SecretStr("dapi-canary")})
    assert "canary" not in f"{platform!r} {vars(platform)!r}"
