"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

SMALL_MODELS = "an example: iris, breast-cancer, wine, digits"

Model = Annotated[str, typer.Argument(metavar="FOLDER", help=f"The model's folder, or {SMALL_MODELS}.")]
Folder = Annotated[
    str | None,
    typer.Argument(metavar="FOLDER", help="The model's folder; without it, the stack that samconfig.toml names."),
]
Environment = Annotated[
    str | None,
    typer.Option("--env", "-e", help="Environment: a section of FOLDER's deployment.toml, or of samconfig.toml."),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter of the stack; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
Image = Annotated[str, typer.Option("--image", help="Name of the image on this machine.")]
Docker = Annotated[str, typer.Option("--docker", metavar="PROGRAM", help="The docker program.")]
BuildFlags = Annotated[str, typer.Option("--docker-build-flags", help="Further words for `docker build`.")]
Base = Annotated[str, typer.Option("--base", help="Another base image than the Dockerfile's.")]
Url = Annotated[str, typer.Option("--url", help="Base URL of the API.")]
# A key on the command line is seen by everybody on the machine, so the environment is the other way.
Key = Annotated[str, typer.Option("--key", envvar="API_KEY", help="API key.", show_default=False)]
Token = Annotated[
    str, typer.Option("--token", envvar="TOKEN", help="The header Authorization, `Bearer ...`.", show_default=False)
]
Sign = Annotated[bool, typer.Option("--sign", help="Sign with the AWS credentials of this machine.")]
GoldenFile = Annotated[Path | None, typer.Option("--file", help="Golden requests (default: golden/golden.json).")]
