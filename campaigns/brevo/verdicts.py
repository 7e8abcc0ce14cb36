"""Turn a refusal, or a failure on the way, into the error that says what to do about it."""

import json
import re
from collections.abc import Mapping

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from campaigns.brevo.endpoints import REPORT, Endpoint
from campaigns.brevo.errors import (
    Answer,
    BrevoAddressUnknown,
    BrevoDuplicate,
    BrevoError,
    BrevoKeyWrong,
    BrevoNotAllowed,
    BrevoNotFound,
    BrevoPermanent,
    BrevoTemporary,
    BrevoUnreachable,
    BrevoUnreadable,
    BrevoUrlWrong,
    in_words,
)
from campaigns.brevo.rate_limits import advised_wait

_TOO_MANY = 429
_TOO_EARLY = 425
_TIMED_OUT = 408
_REFUSED = 400
_FAULT = 500
_WRONG_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)


def refusal(endpoint: Endpoint, response: requests.Response) -> BrevoError:
    """Return the error for an answer that is not a success."""
    status = response.status_code
    if endpoint is REPORT:
        return _report_refusal(status)
    answer = _read(response)
    wait = advised_wait(response.headers, limited=status == _TOO_MANY)
    if status == _TOO_MANY:
        # A 429 is the one refusal that proves that nothing was done.
        return _limited(answer, wait)
    if status >= _FAULT or status in {_TIMED_OUT, _TOO_EARLY}:
        return BrevoTemporary(
            f"Brevo could not {endpoint.purpose} just now ({status})",
            answer=answer,
            retry_after=wait,
            may_have_happened=endpoint.writes,
        )
    return _misconfigured(endpoint, status, answer) or _permanent(endpoint, status, answer)


def failure(endpoint: Endpoint, error: Exception) -> BrevoError:
    """Return the error for a request that got no whole answer."""
    if isinstance(error, _WRONG_URL):
        if endpoint is REPORT:
            return BrevoPermanent("The link to the report of the import leads nowhere")
        return BrevoUrlWrong("Brevo cannot be asked at this address")
    if _nothing_was_sent(error):
        return BrevoUnreachable("Brevo cannot be reached")
    what = "took too long" if isinstance(error, requests.Timeout) else "broke off"
    return BrevoTemporary(
        f"Brevo could not {endpoint.purpose}, for the connection {what}",
        may_have_happened=endpoint.writes,
    )


def unreadable(endpoint: Endpoint, status: int | None = None) -> BrevoUnreadable:
    return BrevoUnreadable(
        f"Brevo was asked to {endpoint.purpose}, but its answer cannot be read",
        answer=Answer(status=status),
        may_have_happened=endpoint.writes,
    )


def budget_spent(title: str, limit: int, seconds: float) -> BrevoTemporary:
    """Return the error for a request that was not sent, for Brevo would refuse it."""
    return BrevoTemporary(
        f"The budget of {limit} {title} is used up, and is back in {in_words(seconds)}",
        retry_after=seconds,
    )


def _limited(answer: Answer, wait: float | None) -> BrevoTemporary:
    back = "" if wait is None else f", and takes more in {in_words(wait)}"
    return BrevoTemporary(f"Brevo takes no more requests{back}", answer=answer, retry_after=wait)


def _misconfigured(endpoint: Endpoint, status: int, answer: Answer) -> BrevoError | None:
    # Brevo says in words what is not there; a 404 without any is some other server's.
    if status < _REFUSED or (status == requests.codes.not_found and not answer.message):
        return BrevoUrlWrong("Brevo's API is not at this address", answer=answer)
    if status == requests.codes.unauthorized:
        # A wrong key and an unknown address share status and code: only the message tells.
        if re.search(r"\bIP\b", answer.message):
            return BrevoAddressUnknown("Brevo does not accept this server's address", answer=answer)
        return BrevoKeyWrong("Brevo does not accept the API key", answer=answer)
    # A 403 without a code is a firewall's, which dislikes one request and not the account.
    if answer.code and status in {requests.codes.payment_required, requests.codes.forbidden}:
        return BrevoNotAllowed(f"Brevo does not let this account {endpoint.purpose}", answer=answer)
    return None


def _permanent(endpoint: Endpoint, status: int, answer: Answer) -> BrevoPermanent:
    could_not = f"Brevo could not {endpoint.purpose}"
    if status == requests.codes.not_found or answer.code == "document_not_found":
        return BrevoNotFound(f"{could_not}, for it is not there", answer=answer)
    # The code of a duplicate was duplicate_parameter, and invalid_parameter since 2026:
    # only the metadata says it reliably.
    if answer.duplicate_identifiers:
        return BrevoDuplicate(could_not, answer=answer)
    return BrevoPermanent(f"{could_not} ({status})", answer=answer)


def _report_refusal(status: int) -> BrevoError:
    summary = f"The report of the import cannot be downloaded ({status})"
    if status >= _FAULT or status == _TOO_MANY:
        return BrevoTemporary(summary, answer=Answer(status=status))
    return BrevoPermanent(
        summary, answer=Answer(status=status), remedy="Its link has probably expired"
    )


def _nothing_was_sent(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _read(response: requests.Response) -> Answer:
    """Read Brevo's {code, message, metadata}, of which only the message is always there."""
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    if not isinstance(body, Mapping):
        return Answer(status=response.status_code)
    metadata = body.get("metadata")
    duplicates = metadata.get("duplicate_identifiers") if isinstance(metadata, Mapping) else None
    return Answer(
        status=response.status_code,
        code=str(body.get("code") or ""),
        message=str(body.get("message") or ""),
        duplicate_identifiers=tuple(map(str, duplicates)) if isinstance(duplicates, list) else (),
    )
