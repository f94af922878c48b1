import math

import pytest

from benchmarks.load import Load
from benchmarks.measure import Measurement
from benchmarks.ratios import Summary, percentile, summarise


def measured(round_: int, server: str, rps: float, *, pings: tuple[float, ...] = (), work: str = "w") -> Measurement:
    load = Load(rps=rps, p50_ms=round_, p99_ms=10 * round_, max_ms=100, errors=round_)
    return Measurement(round_, server, work, load, pings, ready_s=round_ / 10, pss_mb=100 * round_)


def test_a_ratio_is_to_the_baseline_of_the_same_round() -> None:
    slow_then_fast = [
        measured(1, "baseline", 100),
        measured(1, "product", 1000),
        measured(2, "baseline", 400),
        measured(2, "product", 3200),
        measured(3, "baseline", 200),
        measured(3, "product", 1800),
    ]

    product = summarise(slow_then_fast)[1]

    assert (product.ratio, product.spread, product.rps) == (9, (8, 10), 1800)


def test_the_summary_of_three_rounds() -> None:
    rounds = [
        measured(1, "product", 10, pings=(1.0, 2.0)),
        measured(2, "product", 30, pings=(9.0,)),
        measured(3, "product", 20, pings=(3.0,)),
    ]

    assert summarise(rounds) == [
        Summary(
            work="w",
            server="product",
            rps=20,
            ratio=None,
            spread=None,
            p50_ms=2,
            p99_ms=20,
            errors=6,
            ready_s=0.2,
            pss_mb=200,
            ping_p99_ms=9,
            ping_max_ms=9,
        )
    ]


def test_a_round_in_which_the_baseline_failed_has_no_ratio() -> None:
    rounds = [measured(1, "product", 10), measured(2, "baseline", 5), measured(2, "product", 20)]

    assert {each.server: each.ratio for each in summarise(rounds)} == {"product": 4, "baseline": 1}


def test_works_and_servers_keep_the_order_of_their_first_measurement() -> None:
    rounds = [
        measured(1, "baseline", 1, work="a"),
        measured(1, "product", 1, work="a"),
        measured(1, "baseline", 1, work="b"),
        measured(2, "baseline", 1, work="a"),
    ]

    assert [(each.work, each.server) for each in summarise(rounds)] == [
        ("a", "baseline"),
        ("a", "product"),
        ("b", "baseline"),
    ]


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([3.0, 1.0, 2.0], 99, 3.0),
        ([1.0, 2.0, 3.0], 50, 2.0),
        ([1.0, math.inf], 99, math.inf),
        ([1.0] * 999 + [math.inf], 99, 1.0),
    ],
)
def test_a_percentile_is_a_value_that_was_seen(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_without_pings_there_is_no_percentile() -> None:
    assert math.isnan(percentile([], 99))
