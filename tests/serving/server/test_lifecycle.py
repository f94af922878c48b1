from itertools import product

import pytest

from predictor.server.lifecycle import Lifecycle, State

ALLOWED = {
    (State.STARTING, State.READY),
    (State.STARTING, State.DRAINING),
    (State.STARTING, State.FAILED),
    (State.READY, State.DRAINING),
    (State.READY, State.FAILED),
    (State.DRAINING, State.FAILED),
}


@pytest.mark.parametrize(("before", "after"), list(product(State, State)), ids=lambda state: state.value)
def test_only_what_follows_is_taken(before: State, after: State) -> None:
    lifecycle = Lifecycle()
    lifecycle.state = before

    allowed = (before, after) in ALLOWED

    assert lifecycle.advance(after) is allowed
    assert lifecycle.state is (after if allowed else before)
