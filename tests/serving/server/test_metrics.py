import pytest

from predictor.server.metrics import Metrics


def test_metrics_are_prometheus_text() -> None:
    metrics = Metrics()
    metrics.requests[200] += 2
    metrics.requests[400] += 1
    metrics.predictions += 7
    for size in (1, 3, 1000):
        metrics.batches.observe(size)

    lines = metrics.render({"serving_queue_requests": ("Waiting.", 5)}).decode().splitlines()

    assert 'serving_requests_total{status="200"} 2' in lines
    assert 'serving_requests_total{status="400"} 1' in lines
    assert "serving_predictions_total 7" in lines
    assert [line for line in lines if line.startswith("serving_batch_requests_bucket")] == [
        f'serving_batch_requests_bucket{{le="{bound}"}} {count}'
        for bound, count in (
            ("1.0", 1), ("2.0", 1), ("4.0", 2), ("8.0", 2), ("16.0", 2), ("32.0", 2), ("64.0", 2), ("128.0", 2),
            ("+Inf", 3),
        )
    ]  # fmt: skip
    assert lines[-3:] == [
        "# HELP serving_queue_requests Waiting.",
        "# TYPE serving_queue_requests gauge",
        "serving_queue_requests 5",
    ]


@pytest.mark.parametrize("name", ["serving_requests_total", "serving_latency_seconds", "serving_batch_requests"])
def test_every_metric_has_help_and_type_once(name: str) -> None:
    lines = Metrics().render({}).decode().splitlines()

    assert [line.split()[1] for line in lines if line.startswith("# ") and line.split()[2] == name] == ["HELP", "TYPE"]
