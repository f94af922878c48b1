"""Give the SAM transform the stack's parameters, as CloudFormation does; ministack gives it their defaults only."""

from contextvars import ContextVar
from typing import Any

import samtranslator.translator.transform as sam
from ministack.services.cloudformation import changesets, engine, handlers

PARAMETERS: ContextVar[dict[str, Any]] = ContextVar("PARAMETERS", default={})  # noqa: B039  # never changed in place


def install() -> None:
    translate, apply = sam.transform, engine._apply_transforms

    def translate_with_parameters(template: Any, parameters: dict[str, Any], *args: Any, **options: Any) -> Any:
        return translate(template, parameters | PARAMETERS.get(), *args, **options)

    def apply_transforms(template: Any, provided: Any = None, previous: Any = None) -> Any:
        token = PARAMETERS.set(engine._transform_parameters(template, provided, previous))
        try:
            return apply(template, provided, previous)
        finally:
            PARAMETERS.reset(token)

    sam.transform = translate_with_parameters
    for module in (engine, changesets, handlers):
        module._apply_transforms = apply_transforms
