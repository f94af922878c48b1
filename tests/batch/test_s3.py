"""Input and output in S3: fetched before, stored after, kept where a batch is killed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from batch.errors import BatchError
from batch.s3 import here

BUCKET = "files"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        made = boto3.client("s3", region_name="us-east-1")
        made.create_bucket(Bucket=BUCKET)
        for name in ("in/a.csv", "in/b.csv", "in/deeper/c.csv", "in.csv"):
            made.put_object(Bucket=BUCKET, Key=name, Body=name.encode())
        yield made


def keys(client: Any) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET)["Contents"]]


def test_an_object(client: Any, tmp_path: Path) -> None:
    with here("s3://files/in.csv", "s3://files/out.csv", tmp_path / "s", lambda: client, overwrite=False) as (one, two):
        assert one.read_text() == "in.csv"
        two.parent.mkdir()
        two.write_text("done")

    assert client.get_object(Bucket=BUCKET, Key="out.csv")["Body"].read() == b"done"
    assert list((tmp_path / "s").iterdir()) == []
    with (
        pytest.raises(BatchError, match=r"s3://files/out\.csv is there already"),
        here("s3://files/in.csv", "s3://files/out.csv", tmp_path / "s", lambda: client, overwrite=False),
    ):
        pass


def test_a_prefix(client: Any, tmp_path: Path) -> None:
    with here("s3://files/in/", "s3://files/out/", tmp_path / "s", lambda: client, overwrite=False) as (one, two):
        assert sorted(path.name for path in one.iterdir()) == ["a.csv", "b.csv"]
        two.mkdir(parents=True)
        (two / "a.csv").write_text("done")

    assert "out/a.csv" in keys(client)


def test_what_is_fetched_stays_where_a_batch_is_killed(client: Any, tmp_path: Path) -> None:
    times = []

    def killed() -> None:
        output = str(tmp_path / "out.csv")
        with here("s3://files/in.csv", output, tmp_path / "s", lambda: client, overwrite=False) as paths:
            times.append((paths[0].stat().st_mtime_ns, paths[0].stat().st_ino))
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            killed()

    assert times[0] == times[1]


def test_files_of_this_machine_need_no_account(tmp_path: Path) -> None:
    with here("in.csv", "out.csv", tmp_path, pytest.fail, overwrite=False) as paths:
        assert paths == (Path("in.csv"), Path("out.csv"))


def test_what_is_not_there(client: Any, tmp_path: Path) -> None:
    with (
        pytest.raises(BatchError, match="there is no object s3://files/no, and none below it"),
        here("s3://files/no", "out.csv", tmp_path, lambda: client, overwrite=False),
    ):
        pass
