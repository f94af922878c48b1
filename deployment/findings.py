"""What preflight has to say: one finding a check, each bad one with what to do about it."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad a finding is; the value is what is printed."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found there, and what to do; `advice` is empty when all is well."""

    level: Level
    subject: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.level.value:8} {self.subject}: {self.text}"
        return f"{line}\n         -> {self.advice}" if self.advice else line

    def as_dict(self) -> dict[str, str]:
        """Return it for JSON."""
        return {"level": self.level.value, "subject": self.subject, "text": self.text, "advice": self.advice}


def passed(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, subject, text)


def skipped(subject: str, text: str, advice: str) -> Finding:
    """Could not be looked at."""
    return Finding(Level.SKIPPED, subject, text, advice)


def warning(subject: str, text: str, advice: str) -> Finding:
    """Deploys, but is likely not what was meant."""
    return Finding(Level.WARNING, subject, text, advice)


def error(subject: str, text: str, advice: str) -> Finding:
    """Would fail."""
    return Finding(Level.ERROR, subject, text, advice)
