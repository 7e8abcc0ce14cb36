"""What the domain refuses, as HTTP errors: the one place where the two meet."""

from http import HTTPStatus

from rest_framework.exceptions import APIException

from accounts.columns import ChangedMeanwhile
from campaigns.api.preconditions import PreconditionFailed
from campaigns.brevo import BrevoError
from campaigns.errors import CampaignsError, PlanRefused, SegmentBroken, SegmentBusy
from config.problems import WHOLE, Conflict, Problem, as_http


class BusyProblem(Conflict):
    type = "urn:problem:segment-busy"


class BrokenProblem(Conflict):
    type = "urn:problem:segment-broken"


class PlanProblem(Conflict):
    type = "urn:problem:plan-refused"


class BrevoProblem(Problem):
    status_code = HTTPStatus.BAD_GATEWAY
    type = "urn:problem:brevo"


@as_http.register
def _(_: ChangedMeanwhile) -> APIException:
    return PreconditionFailed()


@as_http.register
def _(error: SegmentBusy) -> APIException:
    return BusyProblem(str(error), export=error.export_id)


@as_http.register
def _(error: SegmentBroken) -> APIException:
    told = [{"field": WHOLE, "code": "broken", "message": text} for text in error.problems]
    return BrokenProblem(str(error), errors=told)


@as_http.register
def _(error: PlanRefused) -> APIException:
    return PlanProblem(str(error))


@as_http.register
def _(error: CampaignsError) -> APIException:
    return Conflict(str(error))


@as_http.register
def _(error: BrevoError) -> APIException:
    return BrevoProblem(
        str(error),
        wait=error.retry_after,
        brevo_code=error.code,
        brevo_message=error.brevo_message,
    )
