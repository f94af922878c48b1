"""Whose tokens are taken, read once from the environment. The template sets each variable."""

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """Raise when a variable is missing; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The claim `iss` of a token, the values that its `aud` may have, and where the issuer publishes its keys."""

    issuer: str
    audiences: tuple[str, ...]
    keys_url: str


def read(environ: Mapping[str, str]) -> Settings:
    """Raise SettingsError when a variable is missing or empty."""
    names = ("JWT_ISSUER", "JWT_AUDIENCE", "JWT_KEYS_URL")
    for name in names:
        if not environ.get(name):
            raise SettingsError(f"{name} is not set")
    # No audience has a blank in it: template.yaml refuses that.
    return Settings(environ["JWT_ISSUER"], tuple(environ["JWT_AUDIENCE"].split()), environ["JWT_KEYS_URL"])
