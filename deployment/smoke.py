"""Golden requests against an API, and golden.json written from what a model answers."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from deployment.credentials import Key, Signature, Token
from deployment.errors import UnreadableError
from deployment.findings import Finding, error, passed
from deployment.samples import Reply
from golden.requests import GoldenRequest

SUBJECT = "smoke"
# API Gateway's own limit is 29 s.
SECONDS = 30.0
# A serverless endpoint may take minutes to start a new image for the first time.
PATIENCE = 180.0
CLOSED = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
# What may be the model's own refusal; whatever else is not 200 says nothing of the rows.
REFUSALS = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.BAD_GATEWAY})
OPEN = 'it asks for credentials: give KEY=..., which `make access` prints, TOKEN="Bearer ..." or SIGN=1'
REFUSED = {
    Key: "the key is refused: give KEY=..., which `make access` prints",
    Token: 'the token is refused: give TOKEN="Bearer ..." of one that has not expired',
    Signature: "the signature is refused: let this identity execute-api:Invoke, or sign as another",
}


def check_api(client: httpx.Client, url: str, golden: Sequence[GoldenRequest]) -> Iterator[Finding]:
    """Check that the deployed API is up, is closed to strangers, and answers as expected to `client` and its `auth`."""
    try:
        response = client.get(f"{url}/health", timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as reason:
        said = str(reason) or type(reason).__name__
        yield error(SUBJECT, f"nothing answers at {url}: {said}", "start `make run`, or give the URL of `make access`")
        return
    yield _check_health(url, response)
    if _is_elsewhere(response):
        return
    if client.auth:
        yield _check_closed(url, golden[0] if golden else GoldenRequest("", {}, None))
    for item in golden:
        yield _check_answer(client, url, item)


def _check_health(url: str, response: httpx.Response) -> Finding:
    if response.status_code == httpx.codes.OK:
        return passed(SUBJECT, f"/health: {response.text[:200]}")
    text = f"/health answers {response.status_code}: {response.text[:200]}"
    return error(SUBJECT, text, base_url(url) if _is_elsewhere(response) else "see the function's log")


def _is_elsewhere(health: httpx.Response) -> bool:
    """Whether the API is not here: its /health needs no credentials, and API Gateway answers 403 for a wrong stage."""
    return health.status_code in {*CLOSED, httpx.codes.NOT_FOUND}


def base_url(url: str) -> str:
    """Say what the URL should be."""
    base = url.removesuffix("/predict")
    if base != url:
        return f"leave out /predict: URL={base}"
    return (
        "give the URL that `make run` or `make access` prints, "
        "on AWS with its stage: https://ID.execute-api.REGION.amazonaws.com/prod"
    )


def _check_closed(url: str, item: GoldenRequest) -> Finding:
    try:
        with httpx.Client() as stranger:
            response = _post(stranger, url, item)
    except httpx.HTTPError as reason:
        return error(SUBJECT, f"without credentials: {str(reason) or type(reason).__name__}", "expected 401 or 403")
    if response.is_success:
        return error(
            SUBJECT, "the API answers without credentials", "delete the stack, or deploy it with Auth, at once"
        )
    if response.status_code not in CLOSED:
        text = f"without credentials: {response.status_code} {response.text[:200]}"
        return error(SUBJECT, text, "expected 401 or 403")
    return passed(SUBJECT, f"closed without credentials ({response.status_code})")


def _check_answer(client: httpx.Client, url: str, item: GoldenRequest) -> Finding:
    advice = "roll back, or write golden.json again"
    try:
        response = _post(client, url, item)
    except httpx.HTTPError as reason:
        return error(SUBJECT, f"{item.name}: no answer: {str(reason) or type(reason).__name__}", advice)
    if differences := item.differences(response.status_code, response.content):
        advice = credentials(client) if response.status_code in CLOSED else advice
        return error(SUBJECT, f"{item.name}: {'; '.join(differences[:3])}", advice)
    return passed(SUBJECT, f"{item.name}: the expected answer")


def credentials(client: httpx.Client) -> str:
    """Say what to show an API that is closed to the client."""
    return next((advice for kind, advice in REFUSED.items() if isinstance(client.auth, kind)), OPEN)


def _post(client: httpx.Client, url: str, item: GoldenRequest) -> httpx.Response:
    """Ask, and ask again while the model says that it is starting: a cold endpoint is no wrong answer."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    deadline = time.monotonic() + PATIENCE
    while True:
        response = client.post(f"{url}/predict", content=item.body(), headers=headers, timeout=SECONDS)
        wait = _seconds(response)
        if wait is None or time.monotonic() + wait > deadline:
            return response
        time.sleep(wait)


def _seconds(response: httpx.Response) -> float | None:
    """How long to wait before the same request is asked again; None where that changes nothing."""
    after = response.headers.get("Retry-After", "")
    again = response.status_code in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}
    return max(1.0, float(after)) if again and after.isascii() and after.isdigit() else None


def ask(client: httpx.Client, url: str, body: Any) -> Reply:
    """Return what the model says; raises UnreadableError when it is not the model that answers."""
    try:
        response = _post(client, url, GoldenRequest("", body, None))
        advice = _advice(client, url, response)
    except (httpx.HTTPError, httpx.InvalidURL) as reason:
        said = str(reason) or type(reason).__name__
        raise UnreadableError(f"nothing answers at {url}: {said}; start `make run MODEL=...`, or give URL") from None
    if response.status_code != httpx.codes.OK and response.status_code not in REFUSALS:
        text = f"{url}/predict answers {response.status_code}: {response.text[:200]}"
        raise UnreadableError("; ".join(filter(None, (text, advice))))
    try:
        return Reply(response.status_code, response.json())
    except ValueError:
        return Reply(response.status_code, response.text)


def _advice(client: httpx.Client, url: str, response: httpx.Response) -> str:
    if response.status_code not in {*CLOSED, httpx.codes.NOT_FOUND}:
        return ""
    return base_url(url) if _is_elsewhere(client.get(f"{url}/health", timeout=SECONDS)) else credentials(client)


def record(client: httpx.Client, url: str, bodies: Sequence[Any]) -> tuple[GoldenRequest, ...]:
    """Ask an API each request and take its answer for the expected one; raises UnreadableError when one is refused."""
    return tuple(_record(client, url, body) for body in bodies)


def _record(client: httpx.Client, url: str, body: Any) -> GoldenRequest:
    reply = ask(client, url, body)
    if reply.status != httpx.codes.OK:
        raise UnreadableError(f"{url}/predict answers {reply.refusal(0)}, to {body}")
    return GoldenRequest("", body, reply.content)
