"""Have a run carried on, and answer with what it has become: 200 when it is over, else 202."""

import time
from collections.abc import Callable
from http import HTTPStatus

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from campaigns.api.serializers.exports import ExportSerializer
from campaigns.enums import ACTIVE
from campaigns.models import SegmentExport
from campaigns.tasks import ring

MOST_SECONDS = 60
_FIRST_NAP, _LONGEST_NAP = 0.05, 2.0


def carried_on(request: Request, queue: Callable[[], SegmentExport]) -> Response:
    """Queue a run, wait for it as long as ``?wait=`` says, and show it as it then is."""
    patience = seconds_to_wait(request)
    export = await_end(ring(queue()), patience)
    is_over = export.status not in ACTIVE
    there = reverse("export-detail", args=[export.pk], request=request)
    return Response(
        ExportSerializer(export).data,
        status=HTTPStatus.OK if is_over else HTTPStatus.ACCEPTED,
        headers={"Location": there},
    )


def seconds_to_wait(request: Request) -> int:
    raw = request.query_params.get("wait", "0")
    is_number = raw.isascii() and raw.isdigit() and len(raw) <= len(str(MOST_SECONDS))
    if not is_number or int(raw) > MOST_SECONDS:
        told = f"Write a whole number of seconds from 0 to {MOST_SECONDS}."
        raise ValidationError({"wait": [ErrorDetail(told, code="invalid")]})
    return int(raw)


def await_end(export: SegmentExport, seconds: float) -> SegmentExport:
    """Look at the run again and again, ever less often, until it is over or time is up."""
    deadline, nap = time.monotonic() + seconds, _FIRST_NAP
    while export.status in ACTIVE and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(nap, left))
        nap = min(nap * 2, _LONGEST_NAP)
        export.refresh_from_db()
    return export
