"""Whom of an audience we may and can e-mail, and why the others are held back."""

from typing import Any, TypeVar

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When

from accounts.enums import Consent
from accounts.models import User
from accounts.text import fold_email, is_usable_email
from campaigns.enums import ADDRESS_ALONE, Reason
from campaigns.models import ListMember, Suppression

Users = TypeVar("Users", bound=QuerySet[User, User])

# Whoever unsubscribed stays suppressed under a new address; a bounce concerns the old one alone.
_OF_THE_PERSON = ~Q(reason__in=sorted(ADDRESS_ALONE))


def _suppressions(prefix: str = "") -> tuple[Exists, Exists, Exists]:
    """Return the conditions: the address is suppressed; the person is, under another address; so
    is the address that Brevo has for the person's contact.

    Correlated on purpose: both lookups have an index, while NOT IN over a large table is run anew
    for each user by PostgreSQL.
    """
    of_address = Suppression.objects.filter(email=OuterRef(f"{prefix}email_key"))
    of_person = Suppression.objects.filter(_OF_THE_PERSON, user_id=OuterRef(f"{prefix}pk"))
    of_contact = _refused_at_brevo(OuterRef(f"{prefix}email_key")).filter(
        user_id=OuterRef(f"{prefix}pk")
    )
    return Exists(of_address), Exists(of_person), Exists(of_contact)


def _refused_at_brevo(address: F | Value) -> QuerySet[ListMember, ListMember]:
    """Return stays whose contact has another address at Brevo, and that one must not be mailed.

    What concerns an address alone holds while the contact is that of the user's own ``address``.
    """
    suppressed = Suppression.objects.filter(email=OuterRef("email_at_brevo"))
    opted_out = User.objects.filter(
        email_key=OuterRef("email_at_brevo"), marketing_consent=Consent.OPTED_OUT
    )
    of_the_address = Q(email=address) & (Exists(suppressed) | Exists(opted_out))
    of_a_person = Exists(suppressed.filter(_OF_THE_PERSON))
    stays = ListMember.objects.filter(email_at_brevo__gt="").order_by()
    return stays.filter(of_the_address | of_a_person)


def held_reason(prefix: str = "") -> Case:
    """Return the expression that gives each user's Reason to be held back, or "".

    ``prefix`` leads to the user from another model: ``"user__"``.
    """
    of_address, of_person, of_contact = _suppressions(prefix)
    suppressed = Q(of_address) | Q(of_person) | Q(of_contact)
    opted_out = Q((f"{prefix}marketing_consent", Consent.OPTED_OUT))
    unusable = Q((f"{prefix}email_is_usable", False))
    return Case(
        When(opted_out, then=Value(Reason.OPTED_OUT.value)),
        When(suppressed, then=Value(Reason.SUPPRESSED.value)),
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
    return allowed.filter(*(~suppressed for suppressed in _suppressions()))


def suppressed_ids() -> QuerySet[Any, Any]:
    """Return the ids of all who are suppressed, each once: as persons, or by an address."""
    rows = Suppression.objects.order_by()
    as_persons = rows.filter(_OF_THE_PERSON, user__isnull=False)
    by_address = User.objects.filter(email_key__in=rows.values("email"))
    at_brevo = _refused_at_brevo(F("user__email_key")).filter(user__isnull=False)
    found = as_persons.values("user_id").union(by_address.values("pk"), at_brevo.values("user_id"))
    return found.order_by()


def why_held(user: User) -> Reason | None:
    """Return what ``held_reason`` gives for this user; None for the mailable."""
    if user.marketing_consent == Consent.OPTED_OUT:
        return Reason.OPTED_OUT
    of_address = Q(email=fold_email(user.email))
    of_person = _OF_THE_PERSON & Q(user_id=user.pk)
    at_brevo = _refused_at_brevo(Value(fold_email(user.email))).filter(user_id=user.pk)
    if Suppression.objects.filter(of_address | of_person).exists() or at_brevo.exists():
        return Reason.SUPPRESSED
    return None if is_usable_email(user.email) else Reason.UNUSABLE_ADDRESS


def is_mailable(user: User) -> bool:
    return why_held(user) is None
