"""Refusals in the log of the real process: each is counted, and their number does not fill it."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from predictor.server import refusals
from predictor.server.refusals import RefusalLog
from tests.serving import faults
from tests.serving.processes import JSON, Process, serving


def refuse(server: Process, count: int, body: bytes = b"{}") -> None:
    with server.client() as client:
        for _ in range(count):
            assert client.ask("POST", "/invocations", body, JSON).status == 400


def lines(server: Process, level: str = "info") -> list[dict[str, Any]]:
    return [line for line in server.log() if "invocation" in line["message"] and line["level"] == level]


def test_the_first_refusal_is_a_line_and_the_others_are_summed_up(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server:
        refuse(server, 300)
        server.ask("POST", "/invocations", b"x", {"Content-Type": "image/png"})
        server.terminate()

        first, others = lines(server)
        assert (first["message"], first["status"]) == ("invocation", 400)
        assert others["message"] == "more invocations that were refused or failed"
        assert (others["count"], others["statuses"]) == (300, {"400": 299, "415": 1})
        assert others["example"]["status"] == 400
        assert others["example"]["request_id"] not in {"", first["request_id"]}


def test_at_debug_each_refusal_has_its_line(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model"), log_level="debug") as server:
        refuse(server, 20)
        server.terminate()

        assert len([line for line in lines(server, "debug") if line["status"] == 400]) == 19
        assert len(lines(server)) == 2


def test_one_refusal_is_one_line(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server:
        refuse(server, 1)
        server.terminate()

        assert len(lines(server)) == 1


def test_a_window_that_ends_is_summed_up_and_the_next_begins(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "WINDOW_SECONDS", 0.1)
    caplog.set_level(logging.INFO, "predictor")

    async def run() -> None:
        log = RefusalLog()
        for _ in range(2):
            for number in range(5):
                log.add(400, {"request_id": str(number), "status": 400})
            await asyncio.sleep(0.15)
        await asyncio.sleep(0.2)
        log.add(400, {"request_id": "later", "status": 400})
        log.close()

    asyncio.run(run())

    fields: list[dict[str, object]] = [vars(record)["fields"] for record in caplog.records]
    assert [line.get("count") or line["request_id"] for line in fields] == ["0", 4, 5, "later"]
