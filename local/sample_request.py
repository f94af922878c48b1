"""What a model can be tried with. It imports nothing: a model's own environment has the server's packages only."""

from dataclasses import dataclass, field

KNOWN_LEAD = "try it:"
REFUSED_LEAD = "try it, with rows of your model's features:"
UNKNOWN_LEAD = (
    "try it, with rows of your model's features (with samples.csv beside the model, a line of them is shown):"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A request body that the model answers, and why it is none of its samples.csv; each may be empty.

    `form` is a body with a cell for each feature, whether the model answers it or not; `failure` is why the model does
    not load.
    """

    body: str = ""
    refusal: str = ""
    form: str = field(default="", compare=False)
    failure: str = ""
    features: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def lead(self) -> str:
        """What stands before the line to try."""
        if self.refusal:
            return f"{self.refusal}\n\n{REFUSED_LEAD}"
        return KNOWN_LEAD if self.body else UNKNOWN_LEAD
