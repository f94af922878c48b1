"""Nothing is timed for long here: which model is the quicker one is given where it matters."""

import pytest

from predictor.compile import comparison


@pytest.fixture(autouse=True)
def _no_long_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SECONDS", 0.0)
