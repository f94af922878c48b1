"""Tokens of an issuer whose keys are fetched over HTTP: good ones, and each way in which one is not."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt import PyJWKClient
from jwt.algorithms import RSAAlgorithm

from authorizer.settings import Settings, SettingsError, read
from authorizer.tokens import RefusedError, Verifier

ISSUER, AUDIENCE = "https://login.example.com", "predictions"
OURS, THEIRS = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
GOOD: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada"}


def sign(*, key: Any = OURS, algorithm: str = "RS256", key_id: str = "ours", **claims: Any) -> str:
    """A token that is good but for what is given; a claim that is None is left out."""
    payload = {name: value for name, value in ({**GOOD, "exp": time.time() + 60} | claims).items() if value is not None}
    return jwt.encode(payload, key, algorithm, headers={"kid": key_id})


@pytest.fixture(scope="module")
def keys_url() -> Iterator[str]:
    public = json.loads(RSAAlgorithm.to_jwk(OURS.public_key())) | {"kid": "ours", "use": "sig"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"keys": [public]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
        server.shutdown()


@pytest.fixture(scope="module")
def verifier(keys_url: str) -> Verifier:
    return Verifier(Settings(ISSUER, ("another", AUDIENCE), keys_url), PyJWKClient(keys_url, timeout=3))


def test_a_good_token_names_its_subject(verifier: Verifier) -> None:
    assert verifier.subject(f"Bearer {sign()}") == "ada"


def unsigned() -> str:
    return jwt.encode({**GOOD, "exp": time.time() + 60}, "", "none", headers={"kid": "ours"})


def signed_with_the_public_key() -> str:
    """An HMAC whose secret is the published key, which a careless verifier takes."""
    parts = [{"alg": "HS256", "typ": "JWT", "kid": "ours"}, {**GOOD, "exp": time.time() + 60}]
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    secret = RSAAlgorithm.to_jwk(OURS.public_key()).encode()
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(text, secret)
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@dataclass(frozen=True, slots=True)
class Refused:
    name: str
    header: str


REFUSED = (
    Refused("expired", f"Bearer {sign(exp=time.time() - 60)}"),
    Refused("without-expiry", f"Bearer {sign(exp=None)}"),
    Refused("not-yet", f"Bearer {sign(nbf=time.time() + 600)}"),
    Refused("another-issuer", f"Bearer {sign(iss='https://login.example.org')}"),
    Refused("another-audience", f"Bearer {sign(aud='billing')}"),
    Refused("without-audience", f"Bearer {sign(aud=None)}"),
    Refused("without-subject", f"Bearer {sign(sub=None)}"),
    Refused("foreign-signature", f"Bearer {sign(key=THEIRS)}"),
    Refused("unknown-key", f"Bearer {sign(key=THEIRS, key_id='theirs')}"),
    Refused("unsigned", f"Bearer {unsigned()}"),
    Refused("signed-with-the-public-key", f"Bearer {signed_with_the_public_key()}"),
    Refused("no-scheme", sign()),
    Refused("another-scheme", f"Basic {sign()}"),
    Refused("no-token", "Bearer "),
    Refused("nonsense", "Bearer a.b.c"),
)


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.name)
def test_anything_else_is_refused(verifier: Verifier, refused: Refused) -> None:
    with pytest.raises(RefusedError):
        verifier.subject(refused.header)


def test_without_keys_nobody_is_refused_for_good() -> None:
    """API Gateway answers 500, not 401: the caller's token may be a good one."""
    nowhere = Settings(ISSUER, (AUDIENCE,), "http://127.0.0.1:9/jwks.json")

    with pytest.raises(jwt.exceptions.PyJWKClientConnectionError):
        Verifier(nowhere, PyJWKClient(nowhere.keys_url, timeout=1)).subject(f"Bearer {sign()}")


def test_settings_name_the_variable_that_is_missing() -> None:
    given = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": "", "JWT_KEYS_URL": "https://login.example.com/keys"}

    with pytest.raises(SettingsError, match="JWT_AUDIENCE is not set"):
        read(given)


def test_several_audiences_stand_side_by_side() -> None:
    """As the app clients of a Cognito user pool."""
    given = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": "one two", "JWT_KEYS_URL": "https://login.example.com/keys"}

    assert read(given).audiences == ("one", "two")
