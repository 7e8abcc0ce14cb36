"""Whom of an audience we may and can e-mail, and why the others are held back."""

from typing import Any, TypeVar

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from accounts.enums import Consent
from accounts.models import User
from accounts.text import fold_email, is_usable_email
from campaigns.enums import ADDRESS_ALONE, Reason
from campaigns.models import Suppression

Users = TypeVar("Users", bound=QuerySet[User, User])

# Whoever unsubscribed stays suppressed under a new address; a bounce concerns the old one alone.
_OF_THE_PERSON = ~Q(reason__in=sorted(ADDRESS_ALONE))


def _suppressions(prefix: str = "") -> tuple[Exists, Exists]:
    """Return two conditions: the address is suppressed; the person is, under another address.

    Correlated on purpose: both lookups have an index, while NOT IN over a large table is run anew
    for each user by PostgreSQL.
    """
    of_address = Suppression.objects.filter(email=OuterRef(f"{prefix}email_key"))
    of_person = Suppression.objects.filter(_OF_THE_PERSON, user_id=OuterRef(f"{prefix}pk"))
    return Exists(of_address), Exists(of_person)


def held_reason(prefix: str = "") -> Case:
    """Return the expression that gives each user's Reason to be held back, or "".

    ``prefix`` leads to the user from another model: ``"user__"``.
    """
    of_address, of_person = _suppressions(prefix)
    opted_out = Q((f"{prefix}marketing_consent", Consent.OPTED_OUT))
    unusable = Q((f"{prefix}email_is_usable", False))
    return Case(
        When(opted_out, then=Value(Reason.OPTED_OUT.value)),
        When(Q(of_address) | Q(of_person), then=Value(Reason.SUPPRESSED.value)),
        When(unusable, then=Value(Reason.UNUSABLE_ADDRESS.value)),
        default=Value(""),
        output_field=CharField(),
    )


def with_held_reason(users: Users) -> Users:
    """Annotate each user with ``held_reason``: a Reason, or "" for the mailable."""
    return users.annotate(held_reason=held_reason())


def mailable(users: Users) -> Users:
    """Keep those whose ``held_reason`` is "", asked in a form that uses the indexes."""
    allowed = users.exclude(marketing_consent=Consent.OPTED_OUT).filter(email_is_usable=True)
    of_address, of_person = _suppressions()
    return allowed.filter(~of_address, ~of_person)


def suppressed_ids() -> QuerySet[Any, Any]:
    """Return the ids of all who are suppressed, each once: as persons, or by their address."""
    rows = Suppression.objects.order_by()
    as_persons = rows.filter(_OF_THE_PERSON, user__isnull=False)
    by_address = User.objects.filter(email_key__in=rows.values("email"))
    return as_persons.values("user_id").union(by_address.values("pk")).order_by()


def why_held(user: User) -> Reason | None:
    """Return what ``held_reason`` gives for this user; None for the mailable."""
    if user.marketing_consent == Consent.OPTED_OUT:
        return Reason.OPTED_OUT
    of_address = Q(email=fold_email(user.email))
    if Suppression.objects.filter(of_address | _OF_THE_PERSON & Q(user_id=user.pk)).exists():
        return Reason.SUPPRESSED
    return None if is_usable_email(user.email) else Reason.UNUSABLE_ADDRESS


def is_mailable(user: User) -> bool:
    return why_held(user) is None
