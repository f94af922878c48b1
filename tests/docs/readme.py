"""The README's code blocks, so that every lane can run the ones it is named in.

A block that a reader is told to type opens with its language and its lane, as in "```sh chain"; a "```json" block right
behind it is the answer it must print.
"""

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
FENCE = re.compile(r"^```(?P<info>\w[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = {"sh", "python"}


@dataclass(frozen=True, slots=True)
class Block:
    """One block a reader types: where it stands, the lane that runs it, and the answer printed behind it, if any."""

    line: int
    language: str
    lane: str
    text: str
    answer: str | None


def blocks(lane: str | None = None) -> list[Block]:
    """Return the blocks a reader types, all of them or one lane's, in order."""
    source = README.read_text()
    found = list(FENCE.finditer(source))
    following = [*found[1:], None]
    typed = [
        _block(source, match, after)
        for match, after in zip(found, following, strict=True)
        if match["info"].split()[0] in TYPED
    ]
    return [block for block in typed if lane in (None, block.lane)]


def _block(source: str, match: re.Match[str], after: re.Match[str] | None) -> Block:
    language, lane = [*match["info"].split(), ""][:2]
    adjacent = after is not None and not source[match.end() : after.start()].strip()
    answer = after["text"] if after is not None and adjacent and after["info"] == "json" else None
    return Block(source.count("\n", 0, match.start()) + 1, language, lane, match["text"], answer)
