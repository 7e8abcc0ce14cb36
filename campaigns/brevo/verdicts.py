"""Turn a refusal, or a failure on the way, into the error that says what to do about it."""

import html
import json
import re
from collections.abc import Mapping
from ssl import SSLCertVerificationError

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from campaigns.brevo.endpoints import REPORT, Endpoint
from campaigns.brevo.errors import (
    Answer,
    BrevoAccountBusy,
    BrevoAddressUnknown,
    BrevoContactNotFound,
    BrevoDuplicate,
    BrevoError,
    BrevoFirewall,
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
from campaigns.brevo.fields import storable
from campaigns.brevo.rate_limits import advised_wait

_TOO_MANY = 429
_TOO_EARLY = 425
_TIMED_OUT = 408
_LONGEST_CODE, _LONGEST_MESSAGE = 100, 2_000
_REFUSED = 400
_NO_CREDITS = 402
_FAULT = 500
_ACCOUNT_CODES = frozenset(
    {"permission_denied", "not_enough_credits", "unauthorized", "forbidden", "plan_restriction"}
)
# Codes are open text, and a refusal may have none: then the sentence alone tells.
_SPEAKS_OF_THE_ACCOUNT = re.compile(
    r"\b(your|this|the) (brevo |sendinblue )?(account|plan|subscription)\b.*\b("
    r"validat|suspend|block|disabl|deactivat|verif|lock|clos|expir|process|restrict|limit|permi"
    r"|allow|review|upgrade|activ|reach|exceed)"
    r"|\bcontacts? (limit|quota)\b|\b(limit|quota) of contacts\b"
    r"|\b(not enough|insufficient|no) credits?\b|\bpermission denied\b|\bunrecogni[sz]ed IP\b",
    re.IGNORECASE | re.DOTALL,
)
_CONTACT = re.compile(r"\b(contacts?(?! ?(id )?lists?\b)|e-?mails?)\b", re.IGNORECASE)
_LIST = re.compile(r"\blists?\b", re.IGNORECASE)
_NOT_THERE = re.compile(r"not (be )?found|not exist|document_not_found|no contact", re.IGNORECASE)
_LIST_IS_MISSING = re.compile(
    r"\blists?( ids?)?\b[^.]*\b(not (be )?found|not exist|deleted|gone)", re.IGNORECASE
)
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
    return (
        _misconfigured(endpoint, status, answer, response)
        or _account(endpoint, status, answer)
        or _permanent(endpoint, status, answer)
    )


def failure(endpoint: Endpoint, error: Exception) -> BrevoError:
    """Return the error for a request that got no whole answer."""
    if isinstance(error, _WRONG_URL):
        if endpoint is REPORT:
            return BrevoPermanent("The link to the report of the import leads nowhere")
        return BrevoUrlWrong("Brevo cannot be asked at this address")
    if endpoint is REPORT and isinstance(error, requests.exceptions.SSLError):
        return BrevoPermanent(
            "The report of the import lies on a server that cannot be trusted (TLS)"
        )
    if _nothing_was_sent(error):
        if endpoint is REPORT:
            return BrevoTemporary("The server that has the report of the import cannot be reached")
        return BrevoUnreachable("Brevo cannot be reached")
    what = "took too long" if isinstance(error, requests.Timeout) else "broke off"
    return BrevoTemporary(
        f"Brevo could not {endpoint.purpose}, for the connection {what}",
        may_have_happened=endpoint.writes,
    )


def unreadable(
    endpoint: Endpoint, status: int | None = None, *, why: str = "its answer cannot be read"
) -> BrevoUnreadable:
    return BrevoUnreadable(
        f"Brevo was asked to {endpoint.purpose}, but {why}",
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


def _misconfigured(
    endpoint: Endpoint, status: int, answer: Answer, response: requests.Response
) -> BrevoError | None:
    # Brevo says in words what is not there; a 404 without any is some other server's.
    if status < _REFUSED or (status == requests.codes.not_found and not answer.message):
        return BrevoUrlWrong("Brevo's API is not at this address", answer=answer)
    if status == requests.codes.unauthorized:
        # A wrong key and an unknown address share status and code: only the message tells.
        if re.search(r"\bIP\b", answer.message):
            return BrevoAddressUnknown("Brevo does not accept this server's address", answer=answer)
        return BrevoKeyWrong("Brevo does not accept the API key", answer=answer)
    if status == requests.codes.forbidden:
        return _forbidden(endpoint, answer, response)
    return None


def _forbidden(endpoint: Endpoint, answer: Answer, response: requests.Response) -> BrevoError:
    if not (answer.code or answer.message):
        title = _page_title(response)
        says = f"says “{title}”" if title else "refuses this server's requests"
        return BrevoFirewall(f"A firewall in front of Brevo {says} (403)", answer=answer)
    if re.search(r"\bIP\b", answer.message):
        return BrevoAddressUnknown("Brevo does not accept this server's address", answer=answer)
    return BrevoNotAllowed(f"Brevo does not let this account {endpoint.purpose}", answer=answer)


def _account(endpoint: Endpoint, status: int, answer: Answer) -> BrevoError | None:
    """Return the error for a refusal that is about the account, under whatever status it comes."""
    if answer.duplicate_identifiers or _contact_is_missing(answer):
        return None
    if answer.code == "duplicate_request":
        # Brevo has, or is at work on, the same request: perhaps an earlier attempt of ours.
        return BrevoAccountBusy(
            f"Brevo is already at work to {endpoint.purpose}",
            answer=answer,
            may_have_happened=endpoint.writes,
        )
    is_conflict = status == requests.codes.conflict and not _CONTACT.search(answer.message)
    if answer.code == "account_in_process" or is_conflict:
        return BrevoAccountBusy(f"Brevo could not {endpoint.purpose} just now", answer=answer)
    is_accounts = answer.code in _ACCOUNT_CODES or answer.code.startswith("account_")
    if is_accounts or _SPEAKS_OF_THE_ACCOUNT.search(answer.message) or status == _NO_CREDITS:
        return BrevoNotAllowed(f"Brevo does not let this account {endpoint.purpose}", answer=answer)
    return None


def _contact_is_missing(answer: Answer) -> bool:
    """Decide whether what is not there is a contact, and not a list of them."""
    says = f"{answer.code} {answer.message}"
    contact, other = _CONTACT.search(says), _LIST.search(says)
    if contact is None or (other is not None and other.start() < contact.start()):
        return False
    return answer.status == requests.codes.not_found or bool(_NOT_THERE.search(says))


def _permanent(endpoint: Endpoint, status: int, answer: Answer) -> BrevoPermanent:
    could_not = f"Brevo could not {endpoint.purpose}"
    if endpoint.writes and _contact_is_missing(answer):
        return BrevoContactNotFound(f"{could_not}, for a contact is not there", answer=answer)
    if _LIST_IS_MISSING.search(answer.message):
        return BrevoNotFound(f"{could_not}, for it is not there", answer=answer)
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
    if not isinstance(cause, MaxRetryError):
        return False
    # A server whose certificate is refused is told nothing.
    is_stranger = any(isinstance(why, SSLCertVerificationError) for why in _causes(cause.reason))
    return is_stranger or isinstance(cause.reason, NewConnectionError)


def _causes(error: BaseException | None) -> tuple[object, ...]:
    return (error, *(error.args if error else ()))


def _page_title(response: requests.Response) -> str:
    """Return what a web page calls itself, which is all that a firewall says."""
    title = re.search(rb"<title[^>]*>([^<]{1,100})", response.content[:10_000], re.IGNORECASE)
    return html.unescape(title[1].decode(errors="replace")).strip() if title else ""


def _read(response: requests.Response) -> Answer:
    """Read Brevo's {code, message, metadata}, of which only the message is always there."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, Mapping):
        return Answer(status=response.status_code)
    metadata = body.get("metadata")
    duplicates = metadata.get("duplicate_identifiers") if isinstance(metadata, Mapping) else None
    return Answer(
        status=response.status_code,
        code=storable(str(body.get("code") or ""))[:_LONGEST_CODE],
        message=storable(str(body.get("message") or ""))[:_LONGEST_MESSAGE],
        duplicate_identifiers=tuple(map(str, duplicates)) if isinstance(duplicates, list) else (),
    )
