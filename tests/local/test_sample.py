from pathlib import Path

import pytest

from local.sample import body
from predictor.rows import Signature

FLOWERS = '{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (Signature(features=2), FLOWERS),
        (Signature(features=3), '{"data": [[0,0,0]]}'),
        (Signature(features=3, text=frozenset({1})), '{"data": [[0,"",0]]}'),
        (Signature(features=3, text=None), None),
        (Signature(), None),
        (Signature(features=2, names=("a", "b"), frame=True, text=frozenset({0})), None),
    ],
)
def test_a_body_made_up_for_a_model(signature: Signature, expected: str | None, tmp_path: Path) -> None:
    assert body(signature, tmp_path) == expected


def test_a_row_of_the_models_own_samples(tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text("a,b,c\n1.5,2,3\n4,5,6\n")

    assert body(Signature(features=3), tmp_path) == '{"data": [[1.5,2,3]]}'


def test_a_row_of_mixed_cells_names_its_columns(tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text("a,b,c,d\n1.5,red,True,\n4,blue,False,6\n")

    signature = Signature(features=4, names=("a", "b", "c", "d"), text=frozenset({1}), frame=True)
    assert body(signature, tmp_path) == '{"data": [[1.5,"red",true,null]], "columns": ["a","b","c","d"]}'


def test_samples_without_a_row_are_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text("a,b,c\n")

    assert body(Signature(features=3), tmp_path) == '{"data": [[0,0,0]]}'
