"""What a process that runs unattended says, on standard error: a line an event, for people or as JSON, with the ids by
which plan, work, pack and request are found again. Everything passes the scrubber; libraries only get to complain."""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, assert_never

from loguru import logger

from reconciler.daemon.scrubbing import Scrubber
from reconciler.ports.ledger import Claim, WorkStatus
from reconciler.render.lines import visible
from reconciler.stages.events import Event, Overtaken, Started, Troubled, Waiting
from reconciler.stages.work import Ended, Performed

if TYPE_CHECKING:
    from loguru import Message, Record

Form: TypeAlias = Literal["text", "json"]

#: Talkative ones: their warnings are about their own retries, or repeat addresses and headers.
_SDKS: Final = ("databricks", "azure", "urllib3", "requests", "msal", "aiohttp")
_LEVELS: Final[Mapping[WorkStatus, str]] = {
    WorkStatus.DONE: "INFO",
    WorkStatus.SKIPPED: "INFO",
    WorkStatus.FAILED: "ERROR",
    WorkStatus.NEEDS_ATTENTION: "ERROR",
}


def configure(form: Form = "text", level: str = "INFO", secrets: Collection[str] = ()) -> None:
    """Once per process. `secrets` are struck out wherever they stand (`scrubbing.secrets_of`). Python's warnings and
    what libraries log at WARNING or above come through here too."""
    scrub = Scrubber(secrets)
    write = _json_line if form == "json" else _text_line
    logger.remove()
    logger.add(_Stderr(write, scrub), level=level.upper(), format="{message}", backtrace=False, diagnose=False)
    logging.captureWarnings(capture=True)
    logging.basicConfig(handlers=[_FromLibraries()], level=logging.WARNING, force=True)


class Telling:
    """Tells worker events. `said` are fields that every line of it bears, such as the daemon's name."""

    def __init__(self, **said: str) -> None:
        self._logger = logger.bind(**said)

    def __call__(self, event: Event) -> None:
        match event:
            case Started(claim):
                self._of(claim, attempt=claim.attempts, commit=claim.commit).info("work begun")
            case Performed(claim, call, request_id):
                key = call.key
                told = self._of(claim, key=str(key), workspace=key.workspace, call=type(call).__name__)
                told.bind(request_id=request_id).info("call done")
            case Ended():
                self._end(event)
            case Waiting(work_id, holder):
                until = f"{holder.until.astimezone(UTC):%H:%M:%S} UTC"
                told = self._logger.bind(work_id=str(work_id), holder=holder.worker)
                told.info(f"another worker has the pack, until {until} at least")
            case Overtaken(claim):
                self._of(claim).warning("the lease ran out and another worker took the pack")
            case Troubled(reason):
                self._logger.warning(reason)
            case _:
                assert_never(event)

    def _end(self, ended: Ended) -> None:
        told = self._of(ended.claim, status=str(ended.status), request_id=ended.request_id)
        again = "" if ended.retry_in is None else f", again in {ended.retry_in:.0f} s"
        reason = f": {ended.reason}" if ended.reason else ""
        words = "work put back" if ended.status is WorkStatus.WAITING else f"work ended {ended.status}"
        told.log(_LEVELS.get(ended.status, "WARNING"), f"{words}{again}{reason}")

    def _of(self, claim: Claim, **more: object) -> Any:
        return self._logger.bind(
            plan_id=str(claim.plan_id), work_id=str(claim.work_id), pack=str(claim.order.pack), **more
        )


@dataclass(frozen=True, slots=True)
class _Stderr:
    """Standard error as it is now, so that whoever redirects it is heard. Failing to log fails nothing else."""

    #: Not `write`: loguru would take this for a file.
    line_of: "Callable[[Record, Scrubber], str]"
    scrub: Scrubber

    def __call__(self, message: "Message") -> None:
        try:
            line = self.line_of(message.record, self.scrub)
        except Exception as error:  # noqa: BLE001 - loguru would print the record instead, as it is
            line = f"a line could not be logged: {type(error).__name__}"
        try:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass


def _json_line(record: "Record", scrub: Scrubber) -> str:
    said: dict[str, Any] = {
        "time": _time(record).isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "message": scrub(record["message"]),
    }
    # A field never takes the place of one of these.
    said = {name: _plain(value, scrub) for name, value in record["extra"].items()} | said
    if record["exception"] is not None:
        said["exception"] = scrub(_traceback(record))
    return json.dumps(said, ensure_ascii=False, default=str)


def _text_line(record: "Record", scrub: Scrubber) -> str:
    fields = (f"{name}={_quoted(value, scrub)}" for name, value in record["extra"].items() if value not in {"", None})
    time = _time(record).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    line = "  ".join([f"{time}Z {record['level'].name:<8} {visible(scrub(record['message']))}", " ".join(fields)])
    told = "" if record["exception"] is None else "\n" + scrub(_traceback(record)).rstrip()
    return line.rstrip() + told


def _time(record: "Record") -> datetime:
    return record["time"].astimezone(UTC)


def _plain(value: object, scrub: Scrubber) -> object:
    """Numbers as they are, everything else as text."""
    return value if value is None or isinstance(value, bool | int | float) else scrub(str(value))


def _quoted(value: object, scrub: Scrubber) -> str:
    text = visible(scrub(str(value)))
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text else text


def _traceback(record: "Record") -> str:
    found = record["exception"]
    if found is None or found.value is None:
        return ""
    return "".join(traceback.format_exception(found.type, found.value, found.traceback))


class _FromLibraries(logging.Handler):
    """Standard logging and Python's warnings. Of the SDKs only errors come through, and without their exceptions: these
    carry requests and answers."""

    def emit(self, record: logging.LogRecord) -> None:
        top = record.name.partition(".")[0]
        is_sdk = top in _SDKS
        if is_sdk and record.levelno < logging.ERROR:
            return
        try:
            words = record.getMessage()
        except (TypeError, ValueError, KeyError):
            words = str(record.msg)
        if is_sdk or record.name == "py.warnings":
            words, failure = words.strip().partition("\n")[0], None
        else:
            failure = record.exc_info
        level = record.levelname if record.levelname in {"WARNING", "ERROR", "CRITICAL"} else record.levelno
        logger.bind(library=record.name).opt(exception=failure).log(level, words)
