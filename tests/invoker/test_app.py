"""The module that Lambda loads, in a fresh interpreter as Lambda starts one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import events
from tests.invoker.misbehaving import PREDICTIONS, Endpoint

INVOKER = Path(__file__).parents[2] / "invoker"
AWS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
CONTEXT = "type('C', (), {'aws_request_id': '1', 'get_remaining_time_in_millis': lambda self: 26000})()"
HANDLE = f"""
import json, sys
from invoker.app import handler
answer = handler(json.load(sys.stdin), {CONTEXT})
print(json.dumps(answer))
"""


def run(code: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(INVOKER),
        "AWS_EC2_METADATA_DISABLED": "true",
        **environ,
    }
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(
        command, input=stdin, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_handler_answers_an_event(sagemaker: Endpoint) -> None:
    environ = {"ENDPOINT_NAME": "iris", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker.url, **AWS}

    result = run(HANDLE, json.dumps(events.load("predict")), **environ)

    assert result.stderr == ""
    assert json.loads(result.stdout.splitlines()[-1])["body"] == PREDICTIONS.decode()


def test_missing_setting_ends_the_start_with_its_name() -> None:
    result = run("import invoker.app", **AWS)

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "invoker.settings.SettingsError: ENDPOINT_NAME is not set: the name of the SageMaker endpoint to invoke"
    )


def test_only_what_a_request_needs_is_imported() -> None:
    """The document is built ahead, tracing and routing are API Gateway's; each of these costs tens of milliseconds."""
    unwanted = [
        "invoker.openapi",
        "yaml",
        "aws_xray_sdk",
        "aws_lambda_powertools.event_handler",
        "requests",
        "jsonschema",
    ]
    code = f"import sys, invoker.app; print([name for name in {unwanted} if name in sys.modules])"

    result = run(code, ENDPOINT_NAME="iris", **AWS)

    assert result.stdout == "[]\n"


def test_garbage_is_collected_once_all_is_made() -> None:
    result = run(
        "import gc, invoker.app; print(gc.isenabled(), gc.get_freeze_count() > 0)", ENDPOINT_NAME="iris", **AWS
    )

    assert result.stdout == "True True\n"


SNAPSHOT = """
import json, sys
from snapshot_restore_py import get_before_snapshot, get_after_restore
from invoker import app
modules = set(sys.modules)
for hook, args, kwargs in get_before_snapshot(): hook(*args, **kwargs)
print(sorted(set(sys.modules) - modules))
event = json.load(sys.stdin)
"""
RESTORE = f"""
for hook, args, kwargs in get_after_restore(): hook(*args, **kwargs)
print(json.dumps(app.handler(event, {CONTEXT})["statusCode"]))
"""


def test_a_snapshot_is_primed_without_a_call_and_works_after_each_restore(sagemaker: Endpoint) -> None:
    environ = {"ENDPOINT_NAME": "iris", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker.url, **AWS}
    called = "from invoker.app import CLIENT\n"

    result = run(SNAPSHOT + called + RESTORE + RESTORE, json.dumps(events.load("predict")), **environ)

    assert result.stderr == ""
    statuses = [line for line in result.stdout.splitlines() if line.isdigit()]
    assert statuses == ["200", "200"]
    # The priming call stayed inside; after each restore the call came over a new connection.
    assert len(sagemaker.received) == 2
    assert len(sagemaker.connections) == 2


def test_a_snapshot_without_credentials_is_made_all_the_same() -> None:
    result = run(SNAPSHOT, "{}", ENDPOINT_NAME="iris", AWS_DEFAULT_REGION="us-east-1", HOME="/nonexistent")

    assert result.returncode == 0
    assert json.loads(result.stdout.splitlines()[0])["message"] == "not primed"


@pytest.mark.parametrize("attempt", range(2))
def test_nothing_random_is_kept_across_a_snapshot(sagemaker: Endpoint, attempt: int) -> None:
    """Two restores of one snapshot, played by forks of one process, differ in what should be unique."""
    fork = """
import os
from invoker.app import ENDPOINT
parent = os.fork()
if parent: os.waitpid(parent, 0)
print(ENDPOINT._random.random(), flush=True)
"""
    environ = {"ENDPOINT_NAME": "iris", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker.url, **AWS}

    drawn = run(fork, **environ).stdout.split()

    assert len(set(drawn)) == 2, attempt
