"""Hot reload of the rules file; while it has errors, the last valid rules stay in force."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Protocol

from bot.errors import ConfigError
from bot.files import read_plain_file
from bot.images import local_files
from bot.images.local_files import FileStamp
from bot.rules.engine import RuleSet
from bot.rules.polling import PollingThread
from bot.rules.problem import Problem, RulesError
from bot.rules.validate import ValidationResult, validate, with_images
from bot.rules.validate_process import validate_aside

log = logging.getLogger(__name__)

# A file is loaded when two polls see the same bytes: an editor may still be writing it.
_POLL_SECONDS: Final = 0.5


class LastGood(Protocol):
    """Persistent storage of the last valid rules."""

    def last_good_rules(self) -> bytes | None:
        """Return the content that was stored last."""
        ...

    def keep_good_rules(self, digest: str, content: bytes) -> None:
        """Store the content as the last valid one."""
        ...


class _Validate(Protocol):
    def __call__(self, data: bytes, *, today: date, folder: Path) -> ValidationResult: ...


@dataclass(frozen=True, slots=True)
class Validation:
    """A content of the file, with its validation."""

    content: bytes
    result: ValidationResult

    @property
    def first_error(self) -> Problem | None:
        """The first error; None if the file is usable."""
        return next((problem for problem in self.result.problems if problem.severity == "error"), None)


@dataclass(frozen=True, slots=True)
class _State:
    """What one poll sees: the rules file, and the image files that it named when it was last validated."""

    digest: str = ""
    stamps: tuple[FileStamp, ...] = ()


class RulesReloader:
    """Follows the rules file and its images; readers see either the old or the new rules, never a mixture."""

    def __init__(self, path: Path, last_good: LastGood) -> None:
        self._path = path
        self._folder = path.parent
        self._last_good = last_good
        self._rules: RuleSet | None = None
        self._validated = _State()
        self._polled = _State()
        self._image_names: tuple[str, ...] = ()
        self.thread = PollingThread(self._poll_or_log, name="rules", seconds=_POLL_SECONDS)
        """Follows the file while it runs."""
        self.error = ""
        """The error of the file, for the operator; "" while the file is in force."""
        self.last_validation: Validation | None = None
        """The last validation of the file; None while it cannot be read."""

    @property
    def rules(self) -> RuleSet:
        """The rules in force."""
        if self._rules is None:
            raise RuntimeError("the rules are not loaded yet")
        return self._rules

    def load(self, *, aside: bool = False) -> None:
        """
        Load the file, or the last valid rules if it is not usable; *aside*: while this process serves requests.

        Raises:
            RulesError: There are no valid rules, and the file has errors.
            ConfigError: There are no valid rules, and the file cannot be read.
        """
        content = self._read()
        problems = self._validate_and_apply(content, validate_aside if aside else validate)
        if self._rules is not None:
            return
        kept = self._last_good.last_good_rules()
        # Images that have changed since must not prevent the start.
        fallback = validate(kept, today=_today()).rules if kept is not None else None
        if fallback is None:
            if isinstance(content, OSError):
                raise ConfigError(f"RULES_FILE: {self.error}")
            raise RulesError(problems, path=str(self._path), source=content)
        log.error("the rules file is not usable; the last good rules are in force", extra={"trouble": self.error})
        self._rules = with_images(fallback, self._folder)

    def poll(self) -> None:
        """Load the file if it or an image has changed, is stable between two polls, and is valid."""
        content = self._read()
        state = _State(
            _digest(content), tuple(local_files.file_stamp(self._folder, name) for name in self._image_names)
        )
        if state != self._polled:
            self._polled = state
        elif state != self._validated:
            self._validate_and_apply(content, validate_aside)

    def _poll_or_log(self) -> None:
        try:
            self.poll()
        except Exception:
            log.exception("cannot follow the rules file")

    def _read(self) -> bytes | OSError:
        try:
            return read_plain_file(self._path)
        except OSError as error:
            return error

    def _validate_and_apply(self, content: bytes | OSError, validate_content: _Validate) -> tuple[Problem, ...]:
        if isinstance(content, OSError):
            self._validated = self._polled = _State(_digest(content), self._polled.stamps)
            self.last_validation = None
            self.error = f"{self._path}: {content.strerror}"
            log.error("the rules file cannot be read", extra={"trouble": self.error})
            return ()
        result = validate_content(content, today=_today(), folder=self._folder)
        self._image_names = tuple(result.image_files)
        self._validated = self._polled = _State(
            _digest(content), tuple(image.stamp for image in result.image_files.values())
        )
        self.last_validation = Validation(content, result)
        if result.rules is None:
            first = self.last_validation.first_error
            place = f":{first.line}:{first.column}: {first.code}" if first else ""
            self.error = f"{self._path}{place}"
            log.error("the rules file has errors; the rules in force stay", extra={"trouble": self.error})
            return result.problems
        self._rules = result.rules
        self.error = ""
        self._last_good.keep_good_rules(result.rules.digest, content)
        log.info("rules in force", extra={"rules": len(result.rules.file.rules), "digest": result.rules.digest[:12]})
        return result.problems


def _digest(content: bytes | OSError) -> str:
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else "unreadable"


def _today() -> date:
    return datetime.now(UTC).date()
