"""`python -m predictor compile`: turn a scikit-learn model into ONNX, and prove that it answers the same.

load -> samples -> convert -> load what was written -> compare -> time
"""

import argparse
import shutil
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from predictor.compile.comparison import Comparison, compare, failure, timing
from predictor.compile.graph import FILE, PRECISIONS, limit, write
from predictor.compile.samples import Samples, find_samples, read_samples, takes_missing, unseen, variations
from predictor.errors import CompileError, ModelLoadError, PredictionError, PredictorError
from predictor.models.base import Model
from predictor.models.base import Options as LoadOptions
from predictor.models.estimator import Estimator
from predictor.models.files import DECISION_FUNCTION, ORIGINAL
from predictor.models.loading import find, find_program, importable, kind, load_file

TOLERANCE = 1e-6
TIMED_ROWS = (1, 10, 100, 1000)


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    model_dir: Path
    output: Path
    samples: Path | None = None
    tolerance: float = TOLERANCE
    methods: tuple[str, ...] = ()
    """Methods that the compiled model shall offer; all that the model has when empty."""
    even_if_slower: bool = False
    """Whether a model is written that is slower than its original for some batches."""
    trusted: tuple[str, ...] = ()
    """Types that a skops file may hold besides those that are known to be safe."""


def main(arguments: list[str], trusted: tuple[str, ...] = ()) -> int:
    """Run the command and return the exit code; `trusted` are the types that a skops file may hold besides the safe."""
    try:
        for line in compile_model(_options(arguments, trusted)):
            print(line, flush=True)  # noqa: T201  # a command's report
    except PredictorError as error:
        print(f"not compiled: {error.detail}")  # noqa: T201  # what the command prints
        return 1
    except OSError as error:
        print(f"not compiled: {error.filename or 'the output'}: {error.strerror}")  # noqa: T201  # what the command prints
        return 1
    return 0


def compile_model(options: Options) -> Iterator[str]:
    """Compile, and tell about it line by line; raises CompileError, and then leaves nothing in the output."""
    model = _load(options)
    samples_file = options.samples or find_samples(options.model_dir)
    samples = read_samples(samples_file, model)
    _check_output(options)
    if len(model.schema.required) < (model.schema.width or 0) and not takes_missing(samples, model):
        model = model.offering(model.schema.changed(nullable=False))
        yield "missing values: refused, for the model does not take them in every column"
    if flags := model.schema.flags:
        columns = ", ".join(model.schema.names[index] if model.schema.names else str(index) for index in flags)
        yield f"numbers other than true and false: refused in columns {columns}"
    with tempfile.TemporaryDirectory() as directory:
        compiled, comparisons = yield from _convert(model, samples, options, Path(directory))
        yield from map(str, comparisons)
        yield from _pick(model, compiled, samples, options, Path(directory))
        options.output.mkdir(parents=True, exist_ok=True)
        for file in Path(directory).iterdir():
            shutil.copy(file, options.output / file.name)
        if samples_file.resolve() != (options.output / samples_file.name).resolve():
            shutil.copy(samples_file, options.output / samples_file.name)
    yield f"compiled: {options.output / FILE}"


def _options(arguments: list[str], trusted: tuple[str, ...]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m predictor compile", description=__doc__)
    parser.add_argument("model_dir", type=Path, help="directory that holds a scikit-learn model")
    parser.add_argument("--output", type=Path, required=True, help="directory for the compiled model")
    parser.add_argument("--samples", type=Path, help="rows to compare on; else samples.* in the model's directory")
    text = f"largest difference of a number, relative where it is above 1; {TOLERANCE}"
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help=text)
    text = "methods that it shall offer, with commas; all that the model has"
    parser.add_argument("--methods", type=lambda names: tuple(filter(None, names.split(","))), default=(), help=text)
    text = "write a model that is slower for some requests: it starts sooner, and needs no scikit-learn"
    parser.add_argument("--even-if-slower", action="store_true", help=text)
    return Options(**vars(parser.parse_args(arguments)), trusted=trusted)


def _load(options: Options) -> Estimator:
    importable(options.model_dir / "code")
    program = find_program(options.model_dir, "")
    model = None if program else load_file(options.model_dir, LoadOptions(trusted=options.trusted))[1]
    if not isinstance(model, Estimator):
        raise CompileError(f"{options.model_dir} holds no scikit-learn model: only those can be compiled.")
    if unknown := set(options.methods) - set(model.schema.methods):
        raise CompileError(f"The model has no {', '.join(sorted(unknown))}: it has {', '.join(model.schema.methods)}.")
    return model.offering(replace(model.schema, methods=options.methods)) if options.methods else model


def _check_output(options: Options) -> None:
    """Refuse a directory that would then hold two models."""
    ours = {FILE, DECISION_FUNCTION, ORIGINAL}
    others = [path.name for path in options.output.glob("*") if path.name not in ours and path.stem != "samples"]
    if others:
        raise CompileError(f"{options.output} already holds {', '.join(sorted(others))}: name an empty directory.")


def _convert(
    model: Estimator, samples: Samples, options: Options, directory: Path
) -> Generator[str, None, tuple[Model, list[Comparison]]]:
    """Convert in the first precision that answers the same; raises CompileError that says what is wrong with each."""
    refusals = []
    for precision in PRECISIONS:
        yield f"converting and comparing, in {PRECISIONS[precision]} precision"
        try:
            return _attempt(model, samples, options.tolerance, precision, directory)
        except PredictorError as error:
            cause = f" ({error.__cause__})" if isinstance(error, PredictionError) and error.__cause__ else ""
            refusals.append(f"in {PRECISIONS[precision]} precision, {error.detail}{cause}")
    raise CompileError(" ".join(refusals))


def _attempt(
    model: Estimator, samples: Samples, tolerance: float, precision: type, directory: Path
) -> tuple[Model, list[Comparison]]:
    write(model.estimator, model.schema, precision, directory)
    return _prove(model, samples, tolerance, directory)


def _prove(model: Estimator, samples: Samples, tolerance: float, directory: Path) -> tuple[Model, list[Comparison]]:
    """Load what was written and compare its answers; raises CompileError when it answers otherwise."""
    try:
        compiled = load_file(directory, LoadOptions())[1]
        compiled.warm_up()
    except ModelLoadError as error:
        why = (
            str(error.__cause__ or error)
            .replace(f"Load model from {directory / FILE} failed:", "")
            .strip()
            .partition("\n")[0][:300]
        )
        raise CompileError(f"what skl2onnx makes of it does not run: {why}") from error
    original = model.as_saved()
    comparisons = [
        compare(method, rows, original, compiled, tolerance)
        for rows in variations(samples, model)
        for method in model.schema.methods
    ]
    if wrong := [comparison for comparison in comparisons if comparison.differing]:
        raise CompileError(f"it does not answer the same: {'; '.join(map(str, wrong))}.{_hint(model, wrong)}")
    for row in unseen(samples, model):
        expected = failure(original, row)
        if expected is not PredictionError and failure(compiled, row) is not expected:
            raise CompileError(f"it does not refuse the same: a row with something {row.kind}.")
        for method in model.schema.methods if expected is None else ():
            if compare(method, row, original, compiled, tolerance).differing:
                raise CompileError(f"it does not answer the same: {method} of a row with something {row.kind}.")
    return compiled, comparisons


def _pick(model: Estimator, compiled: Model, samples: Samples, options: Options, directory: Path) -> Iterator[str]:
    """Time both models, and have the original predict the batches for which it is the quicker one."""
    differing = next(rows for rows in variations(samples, model) if rows.kind == "crossed")
    timings = [timing(model, compiled, differing, rows) for rows in TIMED_ROWS]
    yield from map(str, timings)
    quick = [timed.rows for timed in takewhile(lambda timed: not timed.slower, timings)]
    if len(quick) == len(timings) or options.even_if_slower:
        return
    slow = timings[len(quick)]
    refusal = CompileError(
        f"it would be slower for {slow.rows} row{'s' if slow.rows > 1 else ''}: serve the model as it is, "
        "or compile it with --even-if-slower."
    )
    file = find(options.model_dir)
    if not quick or kind(file) != "pickle" or (options.model_dir / "code").exists():
        raise refusal
    shutil.copy(file, directory / ORIGINAL)
    limit(quick[-1], directory)
    try:
        _prove(model, samples, options.tolerance, directory)
    except CompileError as error:
        raise refusal from error
    yield f"more than {quick[-1]} rows: predicted by the original, {ORIGINAL}, which is quicker there"


def _hint(model: Model, wrong: list[Comparison]) -> str:
    """What may still be compiled."""
    right = [method for method in model.schema.methods if method not in {comparison.method for comparison in wrong}]
    return f" Without these methods it may be compiled: --methods {','.join(right)}." if right else ""
