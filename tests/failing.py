"""What the function is expected to fail with."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from invoker.errors import Failure, InvokerError


@contextmanager
def failing(*failures: Failure, match: str = "") -> Iterator[pytest.ExceptionInfo[InvokerError]]:
    """Expect an InvokerError with one of these failures."""
    with pytest.raises(InvokerError) as caught:
        yield caught
    assert caught.value.failure in failures
    assert re.search(match, caught.value.detail)
