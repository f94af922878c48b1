import asyncio
import threading
import time
from typing import Any

import pytest

from local.errors import FunctionError, GatewayError
from local.function import MAX_PAYLOAD, Context, Function, Limits, load_handler
from sam_template import TemplateError

LIMITS = Limits(timeout_seconds=60, memory_mb=128)


def invoke(handler: Any, event: Any = None, limits: Limits = LIMITS) -> Any:
    return asyncio.run(Function(handler, limits).invoke(event or {}))


def test_hands_the_event_to_the_handler_and_its_answer_back() -> None:
    assert invoke(lambda event, _: {"statusCode": 200, "body": event["body"]}, {"body": "ä"}) == {
        "statusCode": 200,
        "body": "ä",
    }


def test_the_handler_cannot_change_the_callers_event() -> None:
    event = {"headers": {"a": "1"}}

    invoke(lambda received, _: received["headers"].clear(), event)

    assert event == {"headers": {"a": "1"}}


def test_the_context_has_what_lambda_gives() -> None:
    first = invoke(lambda _, context: [context.memory_limit_in_mb, context.function_version, context.aws_request_id])
    second = invoke(lambda _, context: context.aws_request_id)

    assert first[:2] == ["128", "$LATEST"]
    assert len(first[2]) == 36
    assert first[2] != second


def test_the_remaining_time_runs_down() -> None:
    context = Context(LIMITS)
    begin = context.get_remaining_time_in_millis()
    time.sleep(0.01)

    assert 60_000 >= begin > context.get_remaining_time_in_millis()


def test_no_time_remains_after_the_timeout() -> None:
    context = Context(Limits(timeout_seconds=0.01, memory_mb=128))
    time.sleep(0.02)

    assert context.get_remaining_time_in_millis() == 0


def raises(_: Any, __: Any) -> None:
    raise ZeroDivisionError


def test_a_handler_that_raises_is_a_function_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FunctionError, match="the handler raised ZeroDivisionError"):
        invoke(raises)

    assert "Traceback" in capfd.readouterr().err


def test_a_handler_that_takes_too_long_is_timed_out() -> None:
    told_to_end = threading.Event()

    with pytest.raises(FunctionError, match=r"task timed out after 0.05 seconds"):
        invoke(lambda _, __: told_to_end.wait(60), limits=Limits(timeout_seconds=0.05, memory_mb=128))

    told_to_end.set()


def test_an_answer_that_is_no_json_is_a_function_error() -> None:
    with pytest.raises(FunctionError, match="TypeError"):
        invoke(lambda _, __: {"body": b"bytes"})


def event_of(size: int) -> dict[str, str]:
    return {"body": "a" * (size - len('{"body": ""}'))}


def test_an_event_of_6_mb_passes_and_one_byte_more_does_not() -> None:
    assert invoke(lambda event, _: len(event["body"]), event_of(MAX_PAYLOAD)) > 6_291_000

    with pytest.raises(GatewayError, match="the event has 6291457 bytes"):
        invoke(lambda _, __: None, event_of(MAX_PAYLOAD + 1))


def test_an_answer_of_6_mb_passes_and_one_byte_more_does_not() -> None:
    assert invoke(lambda _, __: "a" * (MAX_PAYLOAD - 2))

    with pytest.raises(FunctionError):
        invoke(lambda _, __: "a" * (MAX_PAYLOAD - 1))


def test_loads_a_handler_by_its_name() -> None:
    assert load_handler("json.decoder.scanstring") is not None


def test_says_which_name_the_handlers_module_lacks() -> None:
    with pytest.raises(TemplateError, match=r"the template's Handler is json.nothing, and json has no nothing"):
        load_handler("json.nothing")
