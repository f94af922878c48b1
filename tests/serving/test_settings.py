from pathlib import Path

import pytest

from predictor.settings import Settings, SettingsError, cores, worker_environ


def test_without_variables_there_are_defaults() -> None:
    settings = Settings.from_environ({})

    assert (settings.host, settings.port, settings.model_dir) == ("127.0.0.1", 8080, Path("/opt/ml/model"))
    assert settings.workers == cores()
    assert (settings.max_body_bytes, settings.drain_seconds) == (25 * 1024 * 1024, 25)


def test_sagemaker_names_the_port() -> None:
    assert Settings.from_environ({"SAGEMAKER_BIND_TO_PORT": "9000", "SERVING_PORT": "8000"}).port == 9000


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert Settings.from_environ({"SERVING_PORT": ""}).port == 8080


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SERVING_PORT", "http", "SERVING_PORT must be a whole number of at least 0, not 'http'"),
        ("SERVING_WORKERS", "0", "SERVING_WORKERS must be a whole number of at least 1, not '0'"),
        ("SERVING_MAX_BODY_BYTES", "1.5", "SERVING_MAX_BODY_BYTES must be a whole number of at least 1, not '1.5'"),
        ("SERVING_DRAIN_SECONDS", "nan", "SERVING_DRAIN_SECONDS must be a number of at least 0, not 'nan'"),
        ("SERVING_LOG_LEVEL", "loud", "SERVING_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'"),
        ("SERVING_PRELOAD", "maybe", "SERVING_PRELOAD must be one of true, false, not 'maybe'"),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environ({name: value})

    assert str(raised.value) == message


def test_workers_share_the_cores_unless_the_environment_says_otherwise() -> None:
    assert Settings.from_environ({"SERVING_WORKERS": str(cores())}).threads == 1

    environment = worker_environ({"OMP_NUM_THREADS": "7", "PATH": "/bin"})

    assert environment["OMP_NUM_THREADS"] == "7"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["PATH"] == "/bin"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
    ids=["v2", "half a core", "v1"],
)
def test_cores_are_those_of_the_container(tmp_path: Path, files: dict[str, str], quota: int) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert cores(tmp_path) == quota


@pytest.mark.parametrize(
    "files", [{}, {"cpu.max": "max 100000"}, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}]
)
def test_without_a_quota_cores_are_those_of_the_machine(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert cores(tmp_path) == cores(tmp_path / "nowhere")
