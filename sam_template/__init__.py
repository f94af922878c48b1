"""Reads template.yaml as SAM and CloudFormation do, for the local chain and for the checks before a deployment.

Imports nothing of the project.
"""

from sam_template.evaluator import Evaluator
from sam_template.loader import TemplateError, load

__all__ = ["Evaluator", "TemplateError", "load"]
