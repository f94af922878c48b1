"""Bearer tokens: JSON Web Tokens signed by one issuer, for one audience (RFC 7519, RFC 8725)."""

from dataclasses import dataclass
from typing import Any

import jwt
from jwt import PyJWKClient

from authorizer.settings import Settings

SCHEME = "Bearer "
# Asymmetric ones only: a public key must never pass as the secret of an HMAC (RFC 8725, section 3.1).
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
REQUIRED = ["aud", "exp", "iss", "sub"]
# Clocks differ by this much at most.
LEEWAY_SECONDS = 10


class RefusedError(Exception):
    """Raise when a token is not to be trusted; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """`keys` fetches and remembers the issuer's keys."""

    settings: Settings
    keys: PyJWKClient

    def subject(self, header: str) -> str:
        """Return whose token it is; raises RefusedError, and PyJWKClientConnectionError when there are no keys."""
        if not header.startswith(SCHEME):
            raise RefusedError(f"expected {SCHEME}TOKEN")
        try:
            return str(self._claims(header.removeprefix(SCHEME))["sub"])
        except jwt.exceptions.PyJWKClientConnectionError:
            raise
        except jwt.PyJWTError as error:
            raise RefusedError(f"{type(error).__name__}: {error}") from error

    def _claims(self, token: str) -> dict[str, Any]:
        key = self.keys.get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=self.settings.audiences,
            issuer=self.settings.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
        return claims
