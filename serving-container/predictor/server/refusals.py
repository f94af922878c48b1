"""Refusals in the log: what a caller does wrong thousands of times must not fill it."""

import asyncio
from collections import Counter

from predictor.logs import log

WINDOW_SECONDS = 10.0
Fields = dict[str, object]


class RefusalLog:
    """Logs a refusal at once, and those of the next ten seconds in one line: how many of each status, and an example.

    At debug, each has a line of its own besides.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._example: Fields = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, status: int, fields: Fields) -> None:
        """Take note of a request that was not answered by 200."""
        if self._timer is None:
            log.info("invocation", extra={"fields": fields})
            self._wait()
            return
        log.debug("invocation", extra={"fields": fields})
        self._counts[status] += 1
        self._example = self._example or fields

    def close(self) -> None:
        """Log what has been counted; nothing follows."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._sum_up()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._end_window)

    def _end_window(self) -> None:
        self._timer = None
        if self._counts:
            self._sum_up()
            self._wait()

    def _sum_up(self) -> None:
        if not self._counts:
            return
        counts = {str(status): count for status, count in sorted(self._counts.items())}
        fields = {"count": self._counts.total(), "statuses": counts, "example": self._example}
        log.info("more invocations that were refused or failed", extra={"fields": fields})
        self._counts.clear()
        self._example = {}
