"""What the schema says of the calls; one module for each group of them."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from campaigns.api.schema.examples import QUEUED
from config.openapi import problems

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Decorator = Callable[[Decorated], Decorated]

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Up to 200 printable characters. A repeat with the same key and body gets the "
    "first answer, for 24 hours; faults (5xx) and conflicts are not remembered.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of what the caller has read: 412 when it was changed since. `*` for "
    "whatever is there.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="An ETag the caller has: 304 while nobody has changed the row. Sizes, problems and "
    "the list's id may be others all the same.",
)
NOT_MODIFIED = OpenApiResponse(description="It still has the ETag that the caller named.")


def etag(*statuses: int) -> OpenApiParameter:
    return OpenApiParameter(
        "ETag",
        str,
        OpenApiParameter.HEADER,
        response=[*statuses],
        description="Changes with everything that a write can change: send it as `If-Match`.",
    )


def location(*statuses: int) -> OpenApiParameter:
    return OpenApiParameter(
        "Location",
        {"type": "string", "format": "uri"},
        OpenApiParameter.HEADER,
        response=[*statuses],
        description="Where it is to be looked at.",
    )


WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": 60, "default": 0},
    description="Where a worker does the work: how many seconds to wait for the end.",
)


def call(
    summary: str,
    description: str,
    *,
    answers: dict[Any, Any],
    refusals: tuple[int, ...],
    sent: dict[str, Any] | None = None,
    shown: dict[str, Any] | None = None,
    **more: Any,
) -> Decorator[Any]:
    """Describe one call: what it answers, how it refuses, and an example of each."""
    examples = []
    always = {400, 401, 403, 503}
    if sent is not None or "request" in more:
        always.add(413)
    if sent is not None:
        examples.append(OpenApiExample("Sent", value=sent, request_only=True))
    if shown is not None:
        good = [str(status) for status in answers]
        examples.append(OpenApiExample(summary, value=shown, response_only=True, status_codes=good))
    described: Decorator[Any] = extend_schema(
        summary=summary,
        description=description,
        responses={**_of_json(answers), **problems(*sorted({*always, *refusals}))},
        examples=examples,
        **more,
    )
    return described


def _of_json(answers: dict[Any, Any]) -> dict[Any, Any]:
    """Name the media type of each answer that has a body, as those of problems are named."""
    return {
        (status, "application/json")
        if isinstance(status, int) and answer is not None
        else status: answer
        for status, answer in answers.items()
    }


def runs(
    summary: str, description: str, serializer: Any, *, shown: Any, **more: Any
) -> Decorator[Any]:
    """Describe a call that has a run carried on."""
    return call(
        summary,
        f"{description} Answers 200 when the run is over, even if it ended FAILED, and 202 with "
        "the queued run where a worker does the work.",
        answers={
            200: serializer,
            202: OpenApiResponse(
                serializer,
                examples=[OpenApiExample("Queued", value=QUEUED, response_only=True)],
            ),
        },
        refusals=(400, 404, 409, 502),
        shown=shown,
        parameters=[WAIT, IDEMPOTENCY_KEY, location(200, 202)],
        **more,
    )


def csv_file(
    name: str, summary: str, description: str, *, refusals: tuple[int, ...], filters: bool = False
) -> Decorator[Any]:
    return call(
        summary,
        f"{description} Cells that a spreadsheet would take for a formula begin with an "
        "apostrophe; telephone numbers in E.164 stay as they are.",
        answers={(200, "text/csv"): OpenApiTypes.STR},
        refusals=refusals,
        filters=filters,
        operation_id=f"campaigns_{name}_csv",
        parameters=[OpenApiParameter("format", exclude=True)],
    )
