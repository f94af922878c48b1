"""Whether the first line of a CSV body is a header."""

from typing import NoReturn

from predictor.errors import BadInputError, Fault
from predictor.formats import labels
from predictor.formats.media_types import MediaType
from predictor.inputs.conversion import NA, number, wrong_cell
from predictor.inputs.schema import Schema
from predictor.inputs.validation import column_order

TELL = 'Say whether it is a header: "text/csv; header=present", or "text/csv; header=absent".'
AMBIGUOUS = "expected a header or a row, got what may be either"
NO_NUMBERS = "expected a row of numbers, got none"


def has_header(first: list[str], second: list[str], media_type: MediaType, schema: Schema) -> bool:
    """Whether the first line is a header; raises BadInputError when it may be. `second` is empty where it is alone."""
    told = {"present": True, "absent": False}.get(media_type.parameters.get("header", ""))
    if told is not None:
        return told
    columns = labels.as_trained(first, schema)
    is_header = _is_header(columns, schema)
    if is_header and _may_be_row(first, schema):
        raise BadInputError(f"The first line is a row as well as a header. {TELL}", Fault("/0", AMBIGUOUS))
    if is_header:
        return True
    cells = [cell.strip() for cell in first]
    if second and len(cells) > 1 and all(cell == str(index) for index, cell in enumerate(cells)):
        raise BadInputError(
            f"The first line counts the columns from 0, as pandas' header of a table without names does. {TELL}",
            Fault("/0", AMBIGUOUS),
        )
    nothing_numeric = bool(cells) and all(map(_is_word, cells))
    if not schema.names:
        return _is_nameless_header(nothing_numeric=nothing_numeric, second=second, schema=schema)
    if _is_header(labels.as_trained(cells, schema), schema):
        _refuse_blanks(columns, schema)
    # What is neither is refused: as a header that differs, where it looks like one, or else as a row.
    named = not {*schema.names, *schema.ignored}.isdisjoint(cells)
    return not _may_be_row(first, schema) and (nothing_numeric or named)


def _is_header(columns: tuple[str, ...], schema: Schema) -> bool:
    """Whether these are the model's names, all of them and each once."""
    given = set(columns)
    return (
        bool(schema.names)
        and len(given) == len(columns)
        and given.issuperset(schema.names)
        and given.issubset({*schema.names, *schema.ignored})
    )


def _refuse_blanks(columns: tuple[str, ...], schema: Schema) -> NoReturn:
    known = {*schema.names, *schema.ignored}
    index = next(index for index, name in enumerate(columns) if name not in known)
    detail = f'expected "{columns[index].strip()[:80]}", got "{columns[index][:80]}"'
    raise BadInputError(
        f"Blanks around a name belong to it: {detail}. Write the commas without blanks.", Fault(f"/0/{index}", detail)
    )


def _may_be_row(first: list[str], schema: Schema) -> bool:
    """Whether a model may be meant to take these cells; a name is none where it is known not to be."""
    order = column_order(None, len(first), schema) or range(len(first))
    if schema.width not in {None, len(order)}:
        return False
    for feature, cell in enumerate(first[index] for index in order):
        known = schema.feature(feature)
        if wrong_cell(cell, known, number):
            return False
        names_nothing = known.unknown or (known.categories and known.known.isdisjoint(schema.names))
        if names_nothing and cell.strip() in schema.names and _is_word(cell):
            return False
    return True


def _is_nameless_header(*, nothing_numeric: bool, second: list[str], schema: Schema) -> bool:
    """Whether the first line is a header to a model that knows no names: words above a number or a date are."""
    if schema.numeric and nothing_numeric:
        raise BadInputError(f"The first line is no row: the model takes numbers. {TELL}", Fault("/0", NO_NUMBERS))
    return schema.own_code and nothing_numeric and any(cell.strip()[:1].isdigit() for cell in second)


def _is_word(cell: str) -> bool:
    """Whether a cell is something, and no number; R's NA may be the name of a column."""
    if cell.strip() == NA:
        return True
    try:
        number(cell)
    except ValueError:
        return True
    except OverflowError:
        return False
    return False
