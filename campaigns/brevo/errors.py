"""What can go wrong with Brevo: wait, give up, or call an operator.

BrevoTemporary      trying again later may work
BrevoPermanent      this request cannot work, however often it is sent
BrevoMisconfigured  nothing works until an operator has acted

Each error carries the evidence (status, code, Brevo's own words) and says what to do about it.
"""

import math
import re
from dataclasses import dataclass
from typing import ClassVar

_BAD_REQUEST = 400
_PHONE_IDENTIFIERS = frozenset({"SMS", "PHONE", "PHONE_ID"})
_ABOUT_DATA = frozenset({400, 404, 409, 422})
_SPEAKS_OF_AN_ADDRESS = re.compile(r"\be-?mail\b", re.IGNORECASE)
_SPEAKS_OF_THE_ACCOUNT = re.compile(
    r"\b(account|api|attributes?|credits?|ip|lists?|plan)\b", re.IGNORECASE
)
_SPEAKS_OF_A_PHONE = re.compile(r"\b(phone|sms|mobile)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Brevo said when it refused."""

    status: int | None = None
    code: str = ""
    message: str = ""
    duplicate_identifiers: tuple[str, ...] = ()


NO_ANSWER = Answer()


class BrevoError(Exception):
    """The base of everything the gateway raises; its text is fit for a user's eyes, not for a log.

    Brevo's message is kept word for word, and may name an address: log status and code instead.
    """

    default_remedy: ClassVar[str] = ""
    concerns_account: ClassVar[bool] = False  # nothing is said of any person: the work must stop

    def __init__(
        self,
        summary: str,
        *,
        answer: Answer = NO_ANSWER,
        remedy: str | None = None,
        retry_after: float | None = None,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.status = answer.status
        self.code = answer.code
        self.brevo_message = answer.message
        self.duplicate_identifiers = answer.duplicate_identifiers
        self.remedy = self.default_remedy if remedy is None else remedy
        self.retry_after = retry_after
        self.may_have_happened = may_have_happened

    def __str__(self) -> str:
        told = f'{self.summary}: "{self.brevo_message}"' if self.brevo_message else self.summary
        if self.may_have_happened:
            told += " (it may have been done all the same)"
        return f"{told}. {self.remedy}." if self.remedy else f"{told}."

    @property
    def concerns_contact(self) -> bool:
        """True when Brevo refused what was said of a contact, so that others may be taken.

        False when it speaks of the account, of a list that is not there, or of nothing at all.
        """
        return False

    @property
    def refuses_phone(self) -> bool:
        """True when the call may work without the phone number.

        A bad number is refused as invalid_parameter with a message about the phone; a number that
        another contact has, as a duplicate identifier. The code of the latter changed in 2026, so
        the identifiers decide, then the message.
        """
        if not _PHONE_IDENTIFIERS.isdisjoint(name.upper() for name in self.duplicate_identifiers):
            return True
        if self.code not in {"invalid_parameter", "duplicate_parameter"}:
            return False
        return bool(_SPEAKS_OF_A_PHONE.search(self.brevo_message))

    @property
    def refuses_address(self) -> bool:
        """True when Brevo refuses the one contact that was sent, because of its e-mail address.

        Whatever is about the account, a list, an attribute or a phone is not.
        """
        if self.refuses_phone or self.status != _BAD_REQUEST:
            return False
        if any(name.lower() == "email" for name in self.duplicate_identifiers):
            return True
        said = self.brevo_message
        is_parameter = self.code in {"invalid_parameter", "duplicate_parameter"}
        about_address = _SPEAKS_OF_AN_ADDRESS.search(said) is not None
        return is_parameter and about_address and not _SPEAKS_OF_THE_ACCOUNT.search(said)


class BrevoTemporary(BrevoError):
    """Trying again later may work: no connection, a limit reached, a fault at Brevo."""

    default_remedy = "Try again later"


class BrevoUnreachable(BrevoTemporary):
    """No connection came about, so nothing was sent."""

    default_remedy = "Check the network and BREVO_API_URL, or try again later"


class BrevoUnreadable(BrevoTemporary):
    """An answer that is cut off, is not JSON, or has another shape than Brevo documents."""


class BrevoAccountBusy(BrevoTemporary):
    """Brevo is at work on the account, and takes no such request until that is done."""

    concerns_account = True


class BrevoPermanent(BrevoError):
    """Trying again cannot work: Brevo refused this very request."""

    @property
    def concerns_contact(self) -> bool:
        # What Brevo says about data is a 400, 409 or 422 with a code or a sentence of its own; a
        # body too large (413), or a proxy's page, says nothing of anybody.
        return self.status in _ABOUT_DATA and bool(self.code or self.brevo_message)


class BrevoNotFound(BrevoPermanent):
    """What was asked for is not there, or no longer."""

    default_remedy = "It was probably deleted in Brevo"

    @property
    def concerns_contact(self) -> bool:
        return False


class BrevoContactNotFound(BrevoPermanent):
    """There is no contact with this address, or not with one of several."""

    @property
    def concerns_contact(self) -> bool:
        return True


class BrevoDuplicate(BrevoPermanent):
    """Another contact already has an identifier: see duplicate_identifiers."""

    default_remedy = "Another contact in Brevo already has this identifier"


class BrevoMisconfigured(BrevoError):
    """An operator must act before anything works."""

    concerns_account = True


class BrevoKeyMissing(BrevoMisconfigured):
    """No API key was given."""

    default_remedy = (
        "Set BREVO_API_KEY, or BREVO_API_KEY_FILE, to a key made in Brevo under SMTP & API"
    )


class BrevoKeyWrong(BrevoMisconfigured):
    """The API key is not one Brevo knows: mistyped, revoked, or switched off."""

    default_remedy = "Make a new key in Brevo under SMTP & API, and set BREVO_API_KEY to it"


class BrevoAddressUnknown(BrevoMisconfigured):
    """Brevo does not accept this server's IP address (developers.brevo.com/docs/ip-security)."""

    default_remedy = (
        "Add this server's address in Brevo under Security, Authorised IPs, "
        "or switch the blocking of unknown addresses off there"
    )


class BrevoNotAllowed(BrevoMisconfigured):
    """The key is good, but the account's plan or rights do not cover the request."""

    default_remedy = "Check the plan, the credits and the permissions of the account in Brevo"


class BrevoFirewall(BrevoMisconfigured):
    """Something in front of Brevo keeps this server's requests from it."""

    default_remedy = (
        "Try again later; if it stays so, ask Brevo's support to let this server's address through"
    )


class BrevoUrlWrong(BrevoMisconfigured):
    """The root of the API is no usable URL, or leads somewhere else."""

    concerns_account = False

    default_remedy = "Check BREVO_API_URL; Brevo's own is https://api.brevo.com/v3"


def in_words(seconds: float) -> str:
    """Say a duration as a person would: whole seconds, from two minutes on whole minutes."""
    whole = math.ceil(seconds)
    if whole < 120:  # noqa: PLR2004 - two minutes
        return f"{whole} second{'' if whole == 1 else 's'}"
    return f"{math.ceil(whole / 60)} minutes"
