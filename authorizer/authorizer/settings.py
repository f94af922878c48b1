"""Whose tokens are taken, read once from the environment. The template sets each variable."""

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """Raise when a variable is missing; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The claims `iss` and `aud` that a token must have, and where the issuer publishes its keys."""

    issuer: str
    audience: str
    keys_url: str


def read(environ: Mapping[str, str]) -> Settings:
    """Raise SettingsError when a variable is missing or empty."""
    names = ("JWT_ISSUER", "JWT_AUDIENCE", "JWT_KEYS_URL")
    for name in names:
        if not environ.get(name):
            raise SettingsError(f"{name} is not set")
    return Settings(*(environ[name] for name in names))
