"""Whether instances are being started: the alarm on the backlog without capacity says when it begins and ends."""

from invoker.jobs.store import Store


class Capacity:
    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, *, waiting: bool, at: int) -> None:
        """Note a change of the alarm; an event that comes twice or late changes nothing."""
        known = self._store.capacity()
        since = int(known["since"])
        if waiting and not since:
            self._store.note_capacity(at, int(known["usual"]))
        elif not waiting and since and at > since:
            self._store.note_capacity(0, at - since)
