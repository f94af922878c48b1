"""How much faster a compiled model predicts."""

import time
import timeit

from predictor.compile_samples import Samples
from predictor.model import Model

SECONDS = 0.2
"""That each measurement takes."""
LEAST_GAIN = 1.1


def timing(model: Model, compiled: Model, samples: Samples, count: int) -> str:
    """Compare the times of a call with so many rows, in words."""
    some = samples.first(count)
    before, after = (_seconds(each, some) for each in (model, compiled))
    unit = f"{count} row{'s' if count > 1 else ''}"
    gain = f"{before / after:.1f} times as fast" + (", no gain" if before / after < LEAST_GAIN else "")
    return f"speed: {unit} {before * 1e6:.0f} us before, {after * 1e6:.0f} us compiled, {gain}"


def _seconds(model: Model, samples: Samples) -> float:
    """What a call takes: the quickest of those that fit into a moment."""
    rows, method = samples.rows(model.signature), model.signature.methods[0]
    timer = timeit.Timer(lambda: model.predict(rows, method))
    end = time.monotonic() + SECONDS
    taken = [timer.timeit(1)]
    while time.monotonic() < end:
        taken.append(timer.timeit(1))
    return min(taken)
