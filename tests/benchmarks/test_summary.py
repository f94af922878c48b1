import math

import pytest

from benchmarks.ceilings import Bare, ceiling
from benchmarks.load import Load
from benchmarks.measure import Measurement
from benchmarks.summary import Figure, Summary, percentile, singles, summarise
from benchmarks.work import FREE, MODELS, Work

MODEL, OTHER = MODELS[:2]


WORK = Work(MODEL, 1, 32)
FREE_WORK = Work(FREE, 1, 32)


def measured(round_: int, server: str, rps: float, *, pings: tuple[float, ...] = (), work: Work = WORK) -> Measurement:
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

    product = summarise(slow_then_fast, {})[1]

    assert (product.ratio, product.rps) == (Figure(9, 8, 10), Figure(1800, 1000, 3200))


def test_a_ceiling_is_made_of_the_bare_model_and_the_free_container_of_the_same_round() -> None:
    rounds = [
        measured(1, "product", 300),
        measured(1, "product", 400, work=FREE_WORK),
        measured(2, "product", 200),
        measured(2, "product", 400, work=FREE_WORK),
    ]
    bare = {(1, MODEL.name): Bare(MODEL.name, {1: 1200}, 1.0), (2, MODEL.name): Bare(MODEL.name, {1: 400}, 3.0)}

    product, free = summarise(rounds, bare)

    assert ceiling(1200, 400) == 300
    assert (product.of_ceiling, free.of_ceiling) == (Figure(1, 1, 1), None)
    assert [(each.model, each.ms) for each in singles(bare)] == [(MODEL.name, Figure(2, 1, 3))]


def test_a_ceiling_is_that_of_requests_with_as_many_rows() -> None:
    rounds = [measured(1, "product", 100, work=Work(MODEL, 100, 32)), measured(1, "product", 400, work=FREE_WORK)]

    assert summarise(rounds, {(1, MODEL.name): Bare(MODEL.name, {1: 400, 100: 4}, 1.0)})[0].of_ceiling is None


def test_the_summary_of_three_rounds() -> None:
    rounds = [
        measured(1, "product", 10, pings=(1.0, 2.0)),
        measured(2, "product", 30, pings=(9.0,)),
        measured(3, "product", 20, pings=(3.0,)),
    ]

    assert summarise(rounds, {}) == [
        Summary(
            model=MODEL.name,
            rows=1,
            clients=32,
            server="product",
            rps=Figure(20, 10, 30),
            ratio=None,
            of_ceiling=None,
            p50_ms=Figure(2, 1, 3),
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

    found = {each.server: each.ratio for each in summarise(rounds, {})}

    assert found == {"product": Figure(4, 4, 4), "baseline": Figure(1, 1, 1)}


def test_a_ping_that_failed_is_no_number() -> None:
    assert summarise([measured(1, "product", 10, pings=(1.0, math.inf))], {})[0].ping_p99_ms is None


def test_works_and_servers_keep_the_order_of_their_first_measurement() -> None:
    rounds = [
        measured(1, "baseline", 1),
        measured(1, "product", 1),
        measured(1, "baseline", 1, work=Work(OTHER, 1, 32)),
        measured(2, "baseline", 1),
    ]

    assert [(each.model, each.server) for each in summarise(rounds, {})] == [
        (MODEL.name, "baseline"),
        (MODEL.name, "product"),
        (OTHER.name, "baseline"),
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
