"""A batch as a transform job: S3 and SageMaker's API by moto, and the job's own work by what SageMaker documents.

SageMaker splits each file at line ends, packs lines into bodies, sends them to the container, and puts the answers
together with a line's end behind each, as <file>.out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from batch.errors import BatchError, LineError
from batch.progress import Progress
from batch.records import Options
from batch.run import Batch, run
from batch.s3 import Place
from batch.transform import Resources, Transform, deployed_model
from tests.batch.conftest import Asking, credit

BUCKET = "files"
LINES_A_BODY = 7


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        made = boto3.Session(region_name="us-east-1")
        made.client("s3").create_bucket(Bucket=BUCKET)
        yield made


class Emulated(Transform):
    """Does a job's work where the real one waits for it."""

    def __init__(self, session: boto3.Session, model: Asking) -> None:
        self.said: list[str] = []
        super().__init__(session, Resources("Model-abc"), Place(BUCKET, "batch"), self.said.append)
        self.jobs: list[dict[str, Any]] = []
        self._client = session.client("s3")
        self._describe = session.client("sagemaker").describe_transform_job
        self._model = model

    def wait(self, name: str) -> None:
        job: Any = self._describe(TransformJobName=name)
        self.jobs.append(job)
        prefix = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
        for item in self._client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
            body = self._client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            output = job["TransformOutput"]["S3OutputPath"].removeprefix(f"s3://{BUCKET}/")
            key = f"{output}/{Path(item['Key']).name}.out"
            self._client.put_object(Bucket=BUCKET, Key=key, Body=self._transformed(job, body))
        super().wait(name)

    def _transformed(self, job: dict[str, Any], body: bytes) -> bytes:
        lines = body.splitlines(keepends=True)
        answers = []
        for at in range(0, len(lines), LINES_A_BODY):
            part = b"".join(lines[at : at + LINES_A_BODY])
            reply = self._model.ask(part, job["TransformInput"]["ContentType"], job["TransformOutput"]["Accept"])
            assert reply.status == 200, reply.body
            answers.append(reply.body + b"\n")
        return b"".join(answers)


def batch(model: Asking, source: Path, output: Path, **chosen: Any) -> Batch:
    return Batch(model.folder, Path("python"), source, output, Options(positional=True, **chosen))


def keys(session: boto3.Session) -> list[str]:
    found = session.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [item["Key"] for item in found]


def table(rows: int) -> pd.DataFrame:
    """A table without line ends in its cells, its columns in another order than the model's, and further ones."""
    frame = credit(rows).replace("on\ntwo lines", "none").iloc[:, ::-1]
    frame.insert(1, "id", range(rows))
    return frame


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_the_output_is_what_the_model_says(
    credit_model: Asking, session: boto3.Session, tmp_path: Path, suffix: str
) -> None:
    frame = table(30)
    source, output = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    if suffix == "csv":
        frame.to_csv(source, index=False)
    else:
        frame.to_json(source, orient="records", lines=True)
    way = Emulated(session, credit_model)

    run(batch(credit_model, source, output, probabilities=True), way, Progress(lambda _: None))

    read = pd.read_csv if suffix == "csv" else lambda path: pd.read_json(path, lines=True)
    given, got = read(source), read(output)
    pd.testing.assert_frame_equal(got[given.columns], given)
    columns = list(credit_model.estimator.feature_names_in_)
    assert got["prediction"].tolist() == credit_model.estimator.predict(given[columns]).tolist()
    job = way.jobs[0]
    assert job["ModelName"] == "Model-abc"
    assert job["TransformInput"]["SplitType"] == job["TransformOutput"]["AssembleWith"] == "Line"
    assert [each["TransformInput"]["ContentType"].rpartition("; ")[2] for each in way.jobs] == [
        "on-error=skip",
        "method=predict_proba",
    ]
    assert keys(session) == []


def test_bad_lines(credit_model: Asking, session: boto3.Session, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    table(20).to_csv(source, index=False)
    lines = source.read_text().splitlines()
    lines[3], lines[9] = lines[3].rpartition(",")[0] + ",x", "1,2"
    source.write_text("\n".join(lines))

    with pytest.raises(LineError, match=r"in\.csv, line 10: expected 6 cells, got 2"):
        run(batch(credit_model, source, tmp_path / "stopped.csv"), Emulated(session, credit_model), silent())
    assert keys(session) == []
    run(batch(credit_model, source, tmp_path / "out.csv", skip=True), Emulated(session, credit_model), silent())

    got = pd.read_csv(tmp_path / "out.csv")
    assert got.index[got["prediction"].isna()].tolist() == [2, 8]
    assert 'expected a number, got "x"' in got["error"][2]
    assert not (tmp_path / "stopped.csv").exists()


def silent() -> Progress:
    return Progress(lambda _: None)


def test_a_second_run_waits_for_the_first_ones_job(
    credit_model: Asking, session: boto3.Session, tmp_path: Path
) -> None:
    source = tmp_path / "in.csv"
    table(5).to_csv(source, index=False)
    chosen = batch(credit_model, source, tmp_path / "out.csv")

    class Killed(Emulated):
        def wait(self, name: str) -> None:
            raise KeyboardInterrupt(name)

    with pytest.raises(KeyboardInterrupt) as killed:
        run(chosen, Killed(session, credit_model), silent())
    way = Emulated(session, credit_model)
    run(chosen, way, silent())

    assert way.said[0] == f"transform job {killed.value} is of an earlier run: Completed"
    assert len(pd.read_csv(tmp_path / "out.csv")) == 5


def test_a_job_that_fails_is_told(session: boto3.Session) -> None:
    way = Transform(session, Resources("m"), Place(BUCKET, "batch"), print)
    with Stubber(way._sagemaker) as stub:  # noqa: SLF001  # moto's jobs never fail
        failed = {**DESCRIBED, "TransformJobStatus": "Failed", "FailureReason": "Why"}
        stub.add_response("describe_transform_job", failed)
        with pytest.raises(BatchError, match=r"transform job it did not complete: Why; its log is in .* s3:ListBucket"):
            way.wait("it")


DESCRIBED = {
    "TransformJobName": "it",
    "TransformJobArn": "arn:aws:sagemaker:us-east-1:1:transform-job/it",
    "ModelName": "m",
    "CreationTime": 1,
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://a/b"}}},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
}


def test_what_cannot_be_a_job(credit_model: Asking, session: boto3.Session, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.csv").write_text('age,income,rate,job,home\n1,2,3,"a\nb",own\n')
    way = Emulated(session, credit_model)
    with pytest.raises(BatchError, match="has a line's end, where SageMaker would split it"):
        run(batch(credit_model, source / "a.csv", tmp_path / "out.csv"), way, silent())

    (source / "b.jsonl").write_text("{}\n")
    with pytest.raises(BatchError, match="files of one format"):
        run(batch(credit_model, source, tmp_path / "out"), way, silent())
    with pytest.raises(BatchError, match="expected s3://BUCKET/PREFIX"):
        Place.parse("files/batch")


def test_the_model_is_the_endpoints(session: boto3.Session) -> None:
    client = session.client("sagemaker")
    client.create_model(
        ModelName="Model-1",
        PrimaryContainer={"Image": "1.dkr.ecr.us-east-1.amazonaws.com/i:1"},
        ExecutionRoleArn="arn:aws:iam::1:role/modelrole",
    )
    variant = {"VariantName": "a", "ModelName": "Model-1", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])  # type: ignore[list-item]
    client.create_endpoint(EndpointName="iris-dev", EndpointConfigName="c")

    assert deployed_model(session, "iris-dev") == "Model-1"
