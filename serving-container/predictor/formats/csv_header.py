"""Whether the first line of a CSV body is a header."""

from typing import NoReturn

from predictor.errors import BadInputError, Fault
from predictor.formats import labels
from predictor.formats.media_types import MediaType
from predictor.inputs.conversion import number, wrong_cell
from predictor.inputs.rows import Signature
from predictor.inputs.validation import column_order

TELL = 'Say whether it is a header: "text/csv; header=present", or "text/csv; header=absent".'
AMBIGUOUS = "expected a header or a row, got what may be either"
NO_NUMBERS = "expected a row of numbers, got none"


def has_header(first: list[str], more: bool, media_type: MediaType, signature: Signature) -> bool:  # noqa: FBT001
    """Whether the first line is a header, where there are more lines or not; raises BadInputError when it may be."""
    told = {"present": True, "absent": False}.get(media_type.parameters.get("header", ""))
    if told is not None:
        return told
    columns = labels.as_trained(first, signature)
    is_header = _is_header(columns, signature)
    if is_header and _may_be_row(first, signature):
        raise BadInputError(f"The first line is a row as well as a header. {TELL}", Fault("/0", AMBIGUOUS))
    if is_header:
        return True
    cells = [cell.strip() for cell in first]
    if more and len(cells) > 1 and all(cell == str(index) for index, cell in enumerate(cells)):
        raise BadInputError(
            f"The first line counts the columns from 0, as pandas' header of a table without names does. {TELL}",
            Fault("/0", AMBIGUOUS),
        )
    nothing_numeric = all(map(_is_word, cells))
    if not signature.names:
        if signature.numeric and cells and nothing_numeric:
            raise BadInputError(f"The first line is no row: the model takes numbers. {TELL}", Fault("/0", NO_NUMBERS))
        return False
    if _is_header(labels.as_trained(cells, signature), signature):
        _refuse_blanks(columns, signature)
    # What is neither is refused: as a header that differs, where it looks like one, or else as a row.
    named = not {*signature.names, *signature.ignored}.isdisjoint(cells)
    return not _may_be_row(first, signature) and (nothing_numeric or named)


def _is_header(columns: tuple[str, ...], signature: Signature) -> bool:
    """Whether these are the model's names, all of them and each once."""
    given = set(columns)
    return (
        bool(signature.names)
        and len(given) == len(columns)
        and given.issuperset(signature.names)
        and given.issubset({*signature.names, *signature.ignored})
    )


def _refuse_blanks(columns: tuple[str, ...], signature: Signature) -> NoReturn:
    known = {*signature.names, *signature.ignored}
    index = next(index for index, name in enumerate(columns) if name not in known)
    detail = f'expected "{columns[index].strip()[:80]}", got "{columns[index][:80]}"'
    raise BadInputError(
        f"Blanks around a name belong to it: {detail}. Write the commas without blanks.", Fault(f"/0/{index}", detail)
    )


def _may_be_row(first: list[str], signature: Signature) -> bool:
    """Whether a model may be meant to take these cells; a name is none where it is known not to be."""
    order = column_order(None, len(first), signature) or range(len(first))
    if signature.features not in {None, len(order)}:
        return False
    for feature, cell in enumerate(first[index] for index in order):
        if wrong_cell(cell, feature, signature, number):
            return False
        closed = signature.own_code or feature in signature.unlike_names | signature.unknown
        if closed and cell.strip() in signature.names and _is_word(cell):
            return False
    return True


def _is_word(cell: str) -> bool:
    """Whether a cell is something, and no number."""
    try:
        number(cell)
    except ValueError:
        return True
    except OverflowError:
        return False
    return False
