"""Whom of an audience we may and can e-mail, and why the others are held back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from accounts.enums import Consent
from accounts.models import User
from campaigns.enums import ADDRESS_ALONE, Reason
from campaigns.models import ListMember, Suppression

Users = TypeVar("Users", bound=QuerySet[User, User])

# Whoever unsubscribed stays suppressed under a new address; a bounce concerns the old one alone.
_OF_THE_PERSON = ~Q(reason__in=sorted(ADDRESS_ALONE))


def _suppressions(path: str) -> tuple[Exists, Exists, Exists]:
    """Return the conditions: the address is suppressed; the person is, under another address; so
    is the address that Brevo has for the person's contact.

    Correlated on purpose: both lookups have an index, while NOT IN over a large table is run anew
    for each user by PostgreSQL.
    """
    of_address = Suppression.objects.filter(email=OuterRef(f"{path}email_key"))
    of_person = Suppression.objects.filter(_OF_THE_PERSON, user_id=OuterRef(f"{path}pk"))
    of_contact = _refused_at_brevo(OuterRef(f"{path}email_key")).filter(
        user_id=OuterRef(f"{path}pk")
    )
    return Exists(of_address), Exists(of_person), Exists(of_contact)


def _refused_at_brevo(address: F | OuterRef) -> QuerySet[ListMember, ListMember]:
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


def suppressed_ids() -> QuerySet[Any, Any]:
    """Return the ids of all who are suppressed, each once: as persons, or by an address."""
    rows = Suppression.objects.order_by()
    as_persons = rows.filter(_OF_THE_PERSON, user__isnull=False)
    by_address = User.objects.filter(email_key__in=rows.values("email"))
    at_brevo = _refused_at_brevo(F("user__email_key")).filter(user__isnull=False)
    found = as_persons.values("user_id").union(by_address.values("pk"), at_brevo.values("user_id"))
    return found.order_by()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A reason not to e-mail a user, which holds when any of its conditions does.

    ``conditions`` takes the path that leads to the user from another model: ``"user__"``. When
    they look into other tables, ``ids`` gives the ids, as ``user_id``, of all users of whom one
    holds, for queries about many; without it they are about columns of the user.
    """

    reason: Reason
    conditions: Callable[[str], tuple[Q | Exists, ...]]
    ids: Callable[[], QuerySet[Any, Any]] | None = None


# In the order in which they are named when several hold.
EXCLUSIONS = (
    Exclusion(Reason.OPTED_OUT, lambda path: (Q((f"{path}marketing_consent", Consent.OPTED_OUT)),)),
    Exclusion(Reason.SUPPRESSED, _suppressions, suppressed_ids),
    Exclusion(Reason.UNUSABLE_ADDRESS, lambda path: (Q((f"{path}email_is_usable", False)),)),
)


def held_reason(path: str = "") -> Case:
    """Return the expression that gives each user's Reason to be held back, or "".

    ``path`` leads to the user from another model: ``"user__"``.
    """
    return Case(
        *(
            When(_any_of(exclusion.conditions(path)), then=Value(exclusion.reason.value))
            for exclusion in EXCLUSIONS
        ),
        default=Value(""),
        output_field=CharField(),
    )


def _any_of(conditions: Iterable[Q | Exists]) -> Q:
    return reduce(or_, map(Q, conditions))


def with_held_reason(users: Users) -> Users:
    """Annotate each user with ``held_reason``: a Reason, or "" for the mailable."""
    return users.annotate(held_reason=held_reason())


def mailable(users: Users) -> Users:
    """Keep those whose ``held_reason`` is "", asked in a form that uses the indexes."""
    conditions = (condition for exclusion in EXCLUSIONS for condition in exclusion.conditions(""))
    return users.filter(*(~condition for condition in conditions))


def why_held(user: User) -> Reason | None:
    """Return the ``held_reason`` of a stored user; None for the mailable."""
    reason = User.objects.filter(pk=user.pk).values_list(held_reason(), flat=True).get()
    return Reason(reason) if reason else None


def held_reasons_sql(users: QuerySet[User, User], *columns: str) -> tuple[str, list[Any]]:
    """Return a query, and its parameters, for many users' id, these columns of theirs and ``held``.

    ``held`` is what ``held_reason`` gives. Each user is read once, and joined to the few of whom
    an exclusion holds: asking it for each user took two to seven times as long.
    """
    flags: dict[str, ExpressionWrapper[Q]] = {}
    cases, joins = [], []
    joined_params: list[Any] = []
    for exclusion in EXCLUSIONS:
        name = f"is_{exclusion.reason.lower()}"
        holds = f"person.{name}"
        if exclusion.ids is None:
            condition = _any_of(exclusion.conditions(""))
            flags[name] = ExpressionWrapper(condition, output_field=BooleanField())
        else:
            ids_sql, params = exclusion.ids().query.sql_with_params()
            joins.append(_JOIN.format(ids=ids_sql, name=name))
            joined_params += params
            holds = f"{name}.id IS NOT NULL"
        cases.append(f"WHEN {holds} THEN '{exclusion.reason}'")
    people = users.order_by().annotate(**flags).values("id", *columns, *flags)
    people_sql, people_params = people.query.sql_with_params()
    sql = _HELD.format(
        columns="".join(f"person.{name}, " for name in columns),
        cases=" ".join(cases),
        people=people_sql,
        joins=" ".join(joins),
    )
    return sql, [*people_params, *joined_params]


_HELD = "SELECT person.id, {columns}CASE {cases} ELSE '' END AS held FROM ({people}) person {joins}"
_JOIN = "LEFT JOIN (SELECT user_id AS id FROM ({ids}) listed) {name} ON {name}.id = person.id"
