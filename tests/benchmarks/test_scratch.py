from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.scratch import alone


def test_a_second_run_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(BenchmarkError, match="another benchmark is running"), alone(tmp_path):
        pass

    with alone(tmp_path) as directory:
        assert directory == tmp_path
