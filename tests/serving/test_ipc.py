import io

from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.ipc import Request, Response, pack, read_requests, take_frame

texts = st.text(max_size=20)
tasks = st.builds(Request, st.binary(max_size=100), st.none() | texts, st.none() | texts, texts)
answers = st.builds(Response, st.integers(200, 599), texts, st.binary(max_size=100), st.integers(0, 10**6))

ANY_TIME = settings(deadline=None)


@ANY_TIME
@given(st.lists(st.lists(tasks, max_size=5), max_size=3))
def test_tasks_arrive_as_they_were_sent(batches: list[list[Request]]) -> None:
    stream = io.BytesIO(b"".join(pack(number, batch) for number, batch in enumerate(batches)))

    assert [read_requests(stream) for _ in batches] == list(enumerate(batches))
    assert read_requests(stream) is None


@ANY_TIME
@given(st.lists(answers, max_size=5), st.integers(1, 50))
def test_answers_are_taken_when_they_are_all_there(batch: list[Response], step: int) -> None:
    frame = pack(7, batch)
    buffer = bytearray()
    taken = []
    for start in range(0, len(frame), step):
        buffer += frame[start : start + step]
        taken.append(take_frame(buffer))

    assert taken[-1] == (7, batch)
    assert [early for early in taken[:-1] if early is not None] == []
    assert buffer == b""


def test_a_frame_cut_off_by_the_end_is_none() -> None:
    assert read_requests(io.BytesIO(b"\0\0")) is None
