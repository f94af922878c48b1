"""A local AWS: ministack with what a SageMaker endpoint behind API Gateway needs besides.

Started in a container of its own (Dockerfile). Each module fills one gap by replacing functions inside ministack, so
its version is pinned in requirements/emulator.in; its documentation tells the environment variables it reads itself.

    SAGEMAKER_ENDPOINTS   endpoints that exist before any stack: `name=http://container:8080`, comma-separated; the name
                          `*` stands for every endpoint a stack makes
    LAMBDA_PYTHON         interpreter that runs the functions, so that the emulator's own packages do not leak into them
"""

import os

import ministack.app

from tests.deploy.emulator import execution, interpreter, openapi, permissions, resources, sagemaker, transform


def main() -> None:
    interpreter.run_functions_with(os.environ["LAMBDA_PYTHON"])
    resources.install()
    openapi.install()
    execution.install()
    transform.install()
    permissions.install()
    endpoints = sagemaker.parse_endpoints(os.environ.get("SAGEMAKER_ENDPOINTS", ""))
    service = sagemaker.SageMaker(endpoints, resources.RECORDS)
    ministack.app.SERVICE_HANDLERS["sagemaker"] = service.answer
    ministack.app.main()


if __name__ == "__main__":
    main()
