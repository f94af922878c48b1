"""Golden requests against an API, and golden.json written from what a model answers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx

from deployment.errors import UnreadableError
from deployment.findings import Finding, error, passed
from golden.requests import GoldenRequest

SUBJECT = "smoke"
# API Gateway's own limit is 29 s.
SECONDS = 30.0


def check_api(client: httpx.Client, url: str, golden: Sequence[GoldenRequest]) -> Iterator[Finding]:
    """Check that the deployed API is up, is closed to strangers, and answers as expected to `client` and its `auth`."""
    try:
        response = client.get(f"{url}/health", timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as reason:
        said = str(reason) or type(reason).__name__
        yield error(SUBJECT, f"nothing answers at {url}: {said}", "start `make run`, or give the URL of `make access`")
        return
    yield _check_health(response)
    if client.auth:
        yield _check_closed(url, golden[0])
    for item in golden:
        yield _check_answer(client, url, item)


def _check_health(response: httpx.Response) -> Finding:
    if response.status_code != httpx.codes.OK:
        return error(
            SUBJECT, f"/health answers {response.status_code}: {response.text[:200]}", "see the function's log"
        )
    return passed(SUBJECT, f"/health: {response.text[:200]}")


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
    if response.status_code not in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        text = f"without credentials: {response.status_code} {response.text[:200]}"
        return error(SUBJECT, text, "expected 401 or 403")
    return passed(SUBJECT, f"closed without credentials ({response.status_code})")


def _check_answer(client: httpx.Client, url: str, item: GoldenRequest) -> Finding:
    if differences := _ask(client, url, item):
        return error(SUBJECT, f"{item.name}: {'; '.join(differences[:3])}", "roll back, or write golden.json again")
    return passed(SUBJECT, f"{item.name}: the expected answer")


def _ask(client: httpx.Client, url: str, item: GoldenRequest) -> list[str]:
    try:
        response = _post(client, url, item)
    except httpx.HTTPError as reason:
        return [f"no answer: {str(reason) or type(reason).__name__}"]
    return item.differences(response.status_code, response.content)


def _post(client: httpx.Client, url: str, item: GoldenRequest) -> httpx.Response:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return client.post(f"{url}/predict", content=item.body(), headers=headers, timeout=SECONDS)


def record(client: httpx.Client, url: str, bodies: Sequence[Any]) -> tuple[GoldenRequest, ...]:
    """Ask an API each request and take its answer for the expected one; raises UnreadableError when one is refused."""
    return tuple(_record(client, url, GoldenRequest(f"row {n}", body, None)) for n, body in enumerate(bodies))


def _record(client: httpx.Client, url: str, item: GoldenRequest) -> GoldenRequest:
    try:
        response = _post(client, url, item)
    except (httpx.HTTPError, httpx.InvalidURL) as reason:
        said = str(reason) or type(reason).__name__
        raise UnreadableError(f"nothing answers at {url}: {said}; start `make run MODEL=...`, or give URL") from None
    if response.status_code != httpx.codes.OK:
        raise UnreadableError(f"{url}/predict answers {response.status_code} to {item.request}: {response.text[:300]}")
    return replace(item, answer=response.json())
