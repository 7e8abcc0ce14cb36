"""Requests, answers, errors and page limits, as the routes see them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from sandbox.brevo.write_faults import NO_WRITE_FAULTS, WriteFaults


class ApiError(Exception):
    """An answer that refuses, in the shape Brevo gives its errors."""

    def __init__(self, status: int, code: str, message: str, **metadata: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"code": code, "message": message}
        if metadata:
            self.body["metadata"] = metadata


def invalid(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_parameter", message)


def missing(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "missing_parameter", message)


def not_found(message: str) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, "document_not_found", message)


@dataclass(frozen=True, slots=True)
class Window:
    """One page of a longer result."""

    limit: int
    offset: int
    descending: bool = True

    @property
    def order(self) -> str:
        return "DESC" if self.descending else "ASC"


@dataclass(slots=True)
class Request:
    """One call. `path` is below /v3, unquoted only in `params`."""

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    raw: bytes = b""
    json: Any = None
    params: dict[str, str] = field(default_factory=dict)
    write_faults: WriteFaults = NO_WRITE_FAULTS

    @property
    def id(self) -> int:
        return int(self.params["id"])

    def body(self) -> dict[str, Any]:
        """Return the JSON object sent; anything else is refused."""
        if not isinstance(self.json, dict):
            raise ApiError(HTTPStatus.BAD_REQUEST, "bad_request", "Input must be a valid JSON")
        return self.json

    def argument(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[-1]

    def window(self, *, default: int, maximum: int) -> Window:
        """Read limit, offset and sort; too large a limit is refused as Brevo refuses it."""
        limit = self._whole("limit", default)
        if limit > maximum:
            raise ApiError(HTTPStatus.BAD_REQUEST, "out_of_range", "Limit exceeds max value")
        sort = self.argument("sort", "desc").lower()
        if sort not in {"asc", "desc"}:
            raise invalid("Invalid sort value")
        return Window(limit, self._whole("offset", 0), descending=sort == "desc")

    def _whole(self, name: str, default: int) -> int:
        raw = self.argument(name, str(default))
        if not (raw.isascii() and raw.isdigit()):
            raise invalid(f"Invalid {name} value")
        return int(raw)

    def instant(self, name: str) -> int | None:
        """Return a date-time argument in milliseconds, or None when it was not given."""
        raw = self.argument(name)
        if not raw:
            return None
        try:
            parsed = datetime.fromisoformat(raw)
        except ValueError as error:
            raise invalid(f"Invalid {name} date-time") from error
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        return round(parsed.timestamp() * 1000)


@dataclass(slots=True)
class Answer:
    """What goes back. `dropped` closes the connection without a word instead."""

    status: int = HTTPStatus.OK
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False

    @classmethod
    def json(cls, body: Any, status: int = HTTPStatus.OK) -> "Answer":
        return cls(status, json.dumps(body, ensure_ascii=False).encode())

    @classmethod
    def error(cls, error: ApiError) -> "Answer":
        return cls.json(error.body, error.status)


NO_CONTENT = HTTPStatus.NO_CONTENT


Call = tuple[str, str, int]
"""A call that was answered: method, path below /v3, status."""
Body = tuple[str, str, Any]
"""What a call sent: method, path below /v3, JSON."""


@lru_cache(maxsize=4096)
def moment(milliseconds: int) -> str:
    """Write an instant the way Brevo writes it."""
    whole = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")
