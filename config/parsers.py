"""JSON as a careful reader takes it: what is ambiguous or lossy is refused, naming the field."""

import json
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer

NOT_A_NUMBER = object()
_DEEPEST = 50  # no call takes more than a few; what walks through a value must come to its end
_TOO_DEEP = f"The body is nested too deeply: {_DEEPEST} levels are allowed."


class StrictJSONParser(JSONParser):
    """Refuses NaN, infinities, a key given twice, another encoding than UTF-8, and endless bodies.

    Python's own reader would take the last of two equal keys, and numbers that are no JSON.
    """

    renderer_class = JSONRenderer

    def parse(self, stream: Any, *_: Any, **__: Any) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise RequestDataTooBig
        try:
            found = json.loads(
                raw.decode(), object_pairs_hook=_object, parse_constant=lambda _: NOT_A_NUMBER
            )
            is_number = not _holds_no_number(found)
        except RecursionError as error:
            raise ParseError(_TOO_DEEP) from error
        except ValueError as error:
            raise ParseError(f"The body is no JSON: {error}.") from error
        if _is_deep(found):
            raise ParseError(_TOO_DEEP)
        if not is_number:
            raise ParseError("The body is no JSON: it holds NaN or Infinity.")
        return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            _refuse(key, "This field is given twice: send it once.", "duplicate")
        if _holds_no_number(value):
            _refuse(key, "NaN and Infinity are no numbers of JSON.", "invalid")
        found[key] = value
    return found


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _holds_no_number(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_no_number(item) for item in value)
    return value is NOT_A_NUMBER


def _refuse(key: str, message: str, code: str) -> NoReturn:
    raise ValidationError({key: [ErrorDetail(message, code=code)]})
