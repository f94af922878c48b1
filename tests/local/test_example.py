import os
from collections.abc import Callable
from pathlib import Path

import pytest

from local.errors import ChainError
from local.example import STAMP, Examples, find_model
from local.process import Command, Process


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    """Examples whose training is instant."""
    program = tmp_path / "train.py"
    program.write_text(
        "import pathlib, sys\n"
        "output = pathlib.Path(sys.argv[3])\n"
        "output.mkdir(parents=True)\n"
        "(output / 'model.pkl').write_text(sys.argv[1])\n"
    )
    (tmp_path / "lock").touch()
    return Examples(program, tmp_path / "lock", tmp_path / "models")


@pytest.fixture
def runs() -> list[Command]:
    return []


@pytest.fixture
def run(runs: list[Command]) -> Callable[[Command], int]:
    def run(command: Command) -> int:
        runs.append(command)
        process = Process(command)
        while (code := process.exit_code) is None:
            pass
        return code

    return run


def test_an_example_is_trained_once(examples: Examples, run: Callable[[Command], int], runs: list[Command]) -> None:
    first = find_model("iris", os.environ, run, examples)
    second = find_model("iris", os.environ, run, examples)

    assert first == second == examples.folder / "iris"
    assert (first / "model.pkl").read_text() == "iris"
    assert len(runs) == 1


def test_an_example_is_trained_again_when_its_program_changes(
    examples: Examples, run: Callable[[Command], int], runs: list[Command]
) -> None:
    find_model("iris", os.environ, run, examples)
    examples.program.write_text(examples.program.read_text() + "(output / 'more').touch()\n")

    model = find_model("iris", os.environ, run, examples)

    assert len(runs) == 2
    assert (model / "more").exists()


def test_training_that_fails_leaves_no_model(examples: Examples, run: Callable[[Command], int]) -> None:
    examples.program.write_text("import sys; sys.exit(3)")

    with pytest.raises(ChainError, match="training the example model iris ended with code 3"):
        find_model("iris", os.environ, run, examples)

    assert list(examples.folder.iterdir()) == []


def test_a_model_without_a_stamp_is_not_trusted(
    examples: Examples, run: Callable[[Command], int], runs: list[Command]
) -> None:
    model = find_model("iris", os.environ, run, examples)
    (model / STAMP).unlink()

    find_model("iris", os.environ, run, examples)

    assert len(runs) == 2


def test_a_directory_is_taken_as_it_is(tmp_path: Path, run: Callable[[Command], int], runs: list[Command]) -> None:
    (tmp_path / "model.pkl").touch()

    assert find_model(str(tmp_path), os.environ, run) == tmp_path
    assert runs == []


EXPECTED = "expected one with a model in it, or an example: iris, breast-cancer, wine, digits"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", f"MODEL=nowhere is not a directory; {EXPECTED}"),
        ("irsi", f"MODEL=irsi is not a directory (did you mean iris?); {EXPECTED}"),
        ("", f"MODEL= is not a directory; {EXPECTED}"),
        ("{}/model.pkl", "MODEL={}/model.pkl is not a directory but a file; give the one that holds it, {}"),
        ("{}/empty", "MODEL={}/empty is an empty directory; expected a model in it, such as model.joblib"),
    ],
)
def test_anything_else_is_refused(run: Callable[[Command], int], tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "model.pkl").touch()
    (tmp_path / "empty" / "code").mkdir(parents=True)

    with pytest.raises(ChainError) as caught:
        find_model(name.format(tmp_path), os.environ, run)

    assert str(caught.value) == said.format(tmp_path, tmp_path)
