"""Functions inside a pickle: cloudpickle writes their bytecode, which another Python runs wrongly, or dies of.

Nothing of the file is run: pickletools reads its opcodes. https://docs.python.org/3/library/dis.html: since Python 3.11
every function's bytecode has one RESUME near its beginning, and the number of RESUME differs between versions.
"""

import dis
import mmap
import pickletools
import platform
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from predictor.errors import ModelLoadError

MARK = b"cloudpickle"
NUMBERS = 6
"""Numbers that stand before the bytecode in what a code object is made of."""
NEAR = 32
"""Instructions among which RESUME is looked for: those that make cells stand before it."""
INTEGERS = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "INT", "LONG"})


def refuse_others(path: Path) -> None:
    """Refuse a pickle with bytecode of another Python than this; raises ModelLoadError."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(MARK) < 0:
            return
        if any(_is_of_another(code) for code in _codes(file)):
            here = platform.python_version()
            raise ModelLoadError(
                f"{path} holds functions in the bytecode of another Python than this {here}, as cloudpickle writes "
                f"them: save it with Python {here.rpartition('.')[0]}, or put the functions into a file in "
                f"{path.parent / 'code'}, import them from there and save it again."
            )


def _codes(content: BinaryIO) -> list[bytes]:
    """Bytes that stand behind as many numbers as a code object begins with."""
    found: list[bytes] = []
    numbers = 0
    with suppress(ValueError):  # arrays of joblib's stand between the opcodes
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name in INTEGERS:
                numbers += 1
            elif isinstance(argument, bytes) and numbers == NUMBERS:
                found.append(argument)
                numbers = 0
            else:
                numbers = 0
    return found


def _is_of_another(code: bytes) -> bool:
    return dis.opmap["RESUME"] not in code[: 2 * NEAR : 2]
