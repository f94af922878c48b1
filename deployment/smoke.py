"""Golden requests against an API, and golden.json written from what a model answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from deployment.errors import UnreadableError
from deployment.findings import Finding, error, passed
from golden.requests import GoldenRequest

SUBJECT = "smoke"
# API Gateway's own limit is 29 s.
SECONDS = 30.0


def check_api(client: httpx.Client, url: str, key: str, golden: Sequence[GoldenRequest]) -> Iterator[Finding]:
    """Check that the deployed API is up, is closed without the key, and answers as expected with it."""
    yield _check_health(client, url)
    if key:
        yield _check_closed(client, url, golden[0])
    headers = {"x-api-key": key} if key else {}
    for item in golden:
        yield _check_answer(client, f"{url}/predict", headers, item)


def _check_health(client: httpx.Client, url: str) -> Finding:
    try:
        response = client.get(f"{url}/health", timeout=SECONDS)
    except httpx.HTTPError as reason:
        return error(SUBJECT, f"{url}/health: {str(reason) or type(reason).__name__}", "check the URL: output ApiUrl")
    if response.status_code != httpx.codes.OK:
        return error(
            SUBJECT, f"/health answers {response.status_code}: {response.text[:200]}", "see the function's log"
        )
    return passed(SUBJECT, f"/health: {response.text[:200]}")


def _check_closed(client: httpx.Client, url: str, item: GoldenRequest) -> Finding:
    differences = _ask(client, f"{url}/predict", {}, item)
    if not differences:
        return error(SUBJECT, "the API answers without a key", "delete the stack, or set Auth again, at once")
    if "403" not in differences[0] and "401" not in differences[0]:
        return error(SUBJECT, f"without a key: {differences[0]}", "expected 401 or 403")
    return passed(SUBJECT, "closed without a key")


def _check_answer(client: httpx.Client, url: str, headers: Mapping[str, str], item: GoldenRequest) -> Finding:
    if differences := _ask(client, url, headers, item):
        return error(SUBJECT, f"{item.name}: {'; '.join(differences[:3])}", "roll back, or write golden.json again")
    return passed(SUBJECT, f"{item.name}: the expected answer")


def _ask(client: httpx.Client, url: str, headers: Mapping[str, str], item: GoldenRequest) -> list[str]:
    try:
        response = _post(client, url, headers, item)
    except httpx.HTTPError as reason:
        return [f"no answer: {str(reason) or type(reason).__name__}"]
    return item.differences(response.status_code, response.content)


def _post(client: httpx.Client, url: str, headers: Mapping[str, str], item: GoldenRequest) -> httpx.Response:
    content = {"Content-Type": "application/json", "Accept": "application/json"}
    return client.post(url, content=item.body(), headers={**content, **headers}, timeout=SECONDS)


def record(client: httpx.Client, url: str, key: str, bodies: Sequence[Any]) -> tuple[GoldenRequest, ...]:
    """Ask an API each request and take its answer for the expected one; raises UnreadableError when one is refused."""
    return tuple(_record(client, url, key, GoldenRequest(f"row {n}", body, None)) for n, body in enumerate(bodies))


def _record(client: httpx.Client, url: str, key: str, item: GoldenRequest) -> GoldenRequest:
    try:
        response = _post(client, f"{url}/predict", {"x-api-key": key} if key else {}, item)
    except httpx.HTTPError as reason:
        raise UnreadableError(f"{url}/predict: {str(reason) or type(reason).__name__}") from None
    if response.status_code != httpx.codes.OK:
        raise UnreadableError(f"{url}/predict answers {response.status_code} to {item.request}: {response.text[:300]}")
    return replace(item, answer=response.json())
