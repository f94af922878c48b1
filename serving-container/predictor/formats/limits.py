"""How much one body may hold. `LIMITS.rows` is set once, when a worker starts, from SERVING_MAX_ROWS."""

import re
from dataclasses import dataclass

from predictor.errors import PayloadTooLargeError

DEFAULT_ROWS = 1_000_000
"""A row of one digit takes two bytes of a body and about a hundred of memory."""
FEW_LISTS = 10_000
BYTES_A_LIST = 10
"""Bytes of a body for each list or object that it may hold beyond one a row: sparse instances have ten."""
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


@dataclass(slots=True)
class Limits:
    rows: int = DEFAULT_ROWS


LIMITS = Limits()


def check_rows(count: int) -> None:
    """Raise PayloadTooLargeError for more rows than a request may have."""
    if count > LIMITS.rows:
        raise PayloadTooLargeError(f"A request may have {LIMITS.rows} rows: send the rest in another request.")


def check_lists(body: bytes) -> None:
    """Raise PayloadTooLargeError for JSON of more lists and objects than rows have: each takes 60 bytes or more.

    Strings, which may hold brackets, are left out where there seem to be too many.
    """
    allowed = max(LIMITS.rows, FEW_LISTS) + len(body) // BYTES_A_LIST
    if len(body) > allowed and _lists(body) > allowed and _lists(STRING.sub(b"", body)) > allowed:
        raise PayloadTooLargeError(
            f"The body has more than {allowed} lists and objects; a request may have {LIMITS.rows} rows: send the rest "
            "in another request."
        )


def _lists(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{")
