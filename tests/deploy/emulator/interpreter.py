"""Run Python functions with an interpreter that has only what Lambda's own has.

ministack runs them with its own, whose packages would stand in for one missing from the function's requirements.
"""

from ministack.core import lambda_runtime


def run_functions_with(interpreter: str) -> None:
    detect = lambda_runtime._detect_runtime_binary

    def detect_runtime_binary(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (interpreter if runtime.startswith("python") else binary), script

    lambda_runtime._detect_runtime_binary = detect_runtime_binary
