"""Metrics of jobs, as CloudWatch reads them out of the log."""

from http import HTTPStatus

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from invoker.jobs.job import Job
from invoker.settings import Settings
from invoker.telemetry import NAMESPACE

SERVICE = "jobs"


class Metrics:
    def __init__(self, settings: Settings) -> None:
        self._function_name = settings.aws_lambda_function_name

    def ended(self, job: Job | None) -> None:
        """Count a job that has ended, by its state; those whose input is at fault on their own."""
        if job and not job.state.is_open:
            refused = job.error is not None and job.error["status"] < HTTPStatus.INTERNAL_SERVER_ERROR
            self._write("JobsRefused" if refused else f"Jobs{job.state.title()}", MetricUnit.Count, 1)

    def oldest(self, seconds: int) -> None:
        self._write("OldestJob", MetricUnit.Seconds, seconds)

    def _write(self, name: str, unit: MetricUnit, value: float) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
        metrics.add_dimension("function", self._function_name)
        metrics.add_metric(name, unit, value)
        metrics.flush_metrics()
