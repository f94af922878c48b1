"""Where the server stands between its start and its end."""

from enum import Enum


class State(Enum):
    """STARTING -> READY -> DRAINING, or FAILED from any; `/ping` answers 200 in READY only."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"


FOLLOWERS = {
    State.STARTING: {State.READY, State.DRAINING, State.FAILED},
    State.READY: {State.DRAINING, State.FAILED},
    State.DRAINING: {State.FAILED},
    State.FAILED: set[State](),
}


class Lifecycle:
    """The one place that knows the state."""

    def __init__(self) -> None:
        self.state = State.STARTING

    def advance(self, state: State) -> bool:
        """Go on to `state`; False when that cannot follow, so that what comes late changes nothing."""
        if state not in FOLLOWERS[self.state]:
            return False
        self.state = state
        return True
