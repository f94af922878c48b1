"""The code blocks of the README and of docs/, so that every lane can run the ones it is named in.

A block that a reader is told to type opens with its language and its lane, as in "```sh chain"; a "```json" block right
behind it is the answer it must print.
"""

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```(?P<info>\w[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = {"sh", "python"}


@dataclass(frozen=True, slots=True)
class Block:
    """One block a reader types: where it stands, the lane that runs it, and the answer printed behind it, if any."""

    page: str
    line: int
    language: str
    lane: str
    text: str
    answer: str | None


def blocks(lane: str | None = None) -> list[Block]:
    """Return the blocks a reader types, all of them or one lane's, in order; a block without a lane is only shown."""
    typed = [block for page in PAGES for block in _blocks(page) if block.lane or page == README]
    return [block for block in typed if lane in (None, block.lane)]


def _blocks(page: Path) -> list[Block]:
    source = page.read_text()
    found = list(FENCE.finditer(source))
    return [
        _block(page.name, source, match, after)
        for match, after in zip_longest(found, found[1:])
        if match["info"].split()[0] in TYPED
    ]


def _block(page: str, source: str, match: re.Match[str], after: re.Match[str] | None) -> Block:
    language, lane = [*match["info"].split(), ""][:2]
    adjacent = after is not None and not source[match.end() : after.start()].strip()
    answer = after["text"] if after is not None and adjacent and after["info"] == "json" else None
    return Block(page, source.count("\n", 0, match.start()) + 1, language, lane, match["text"], answer)
