"""Values that are ids of something that may change or vanish while a segment names it."""

import re
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from accounts.enums import PartnershipStatus, Role
from accounts.models import User, UserQuerySet
from accounts.searching import search
from campaigns.audience.criteria.values import (
    Choice,
    Row,
    Value,
    Values,
    is_storable,
    quote_for_message,
)
from campaigns.batches import IN_ONE_STATEMENT, in_batches
from campaigns.models import KnownName
from properties.models import Property

BIGGEST_ID = models.BigIntegerField.MAX_BIGINT
ID_DIGITS = len(str(BIGGEST_ID))
IDS_IN_ONE_QUERY = IN_ONE_STATEMENT
_ID = re.compile(rf"[1-9][0-9]{{0,{ID_DIGITS - 1}}}")


class References(Values):
    """Ids of rows; ``noun`` is what one of them is called, ``row_kind`` its model."""

    kind = "object"
    noun: ClassVar[str]
    row_kind: ClassVar[str]

    @abstractmethod
    def found(self, ids: Collection[int]) -> Iterator[tuple[int, str, str]]:
        """Yield (id, name, what is wrong with it or "") for each of the ids that exists."""

    def clean(self, value: Any) -> Value:
        if isinstance(value, str) and _ID.fullmatch(value):
            value = int(value)  # as forms send it
        if type(value) is not int or not 0 < value <= BIGGEST_ID:
            message = (
                f"{quote_for_message(value)} is not the id of {self._a_noun}: write a whole number."
            )
            raise ValidationError(message, code="invalid")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "format": "int64", "minimum": 1}

    def look_up(self, values: Collection[Any]) -> dict[Value, Row]:
        rows: dict[Value, Row] = {}
        for pk, name, trouble in self._found(values):
            rows[pk] = Row(name, f"{name} {trouble}." if trouble else "")
        gone = [pk for pk in values if pk not in rows]
        known = KnownName.of(self.row_kind, gone)
        return rows | {pk: self._gone(pk, known.get(pk, "")) for pk in gone}

    def names(
        self,
        values: Collection[Any],
        rows: Mapping[Value, Row],
        *,
        plural: bool = False,  # noqa: ARG002 -- a name has none
    ) -> dict[Value, str]:
        return {
            pk: f"{rows[pk].name} (gone)" if rows[pk].is_gone else rows[pk].name for pk in values
        }

    def _gone(self, pk: int, name: str) -> Row:
        called = f"{name} ({self.noun} {pk})" if name else f"{self.noun.capitalize()} {pk}"
        return Row(name or f"{self.noun} {pk}", f"{called} no longer exists.", is_gone=True)

    def _found(self, values: Collection[int]) -> Iterator[tuple[int, str, str]]:
        for ids in in_batches(values, IDS_IN_ONE_QUERY):
            yield from self.found(ids)

    @property
    def _a_noun(self) -> str:
        return f"an {self.noun}" if self.noun[0] in "aeiou" else f"a {self.noun}"


class Properties(References):
    noun = "property"
    row_kind = "property"

    def found(self, ids: Collection[int]) -> Iterator[tuple[int, str, str]]:
        for pk, name in Property.objects.filter(pk__in=ids).values_list("pk", "name"):
            yield pk, name, ""

    def search(self, text: str, limit: int) -> list[Choice]:
        if not is_storable(text):
            return []
        properties = search(Property.objects.all(), text, ("name_key",)).order_by("name_key")
        return [(p.pk, p.name) for p in properties[:limit]]


class People(References):
    """Users who must still hold a position."""

    row_kind = "user"

    @abstractmethod
    def eligible(self) -> UserQuerySet: ...

    @abstractmethod
    def trouble(self, user: User) -> str:
        """Return why this user cannot be relied on any more, or ""."""

    def found(self, ids: Collection[int]) -> Iterator[tuple[int, str, str]]:
        for user in User.objects.filter(pk__in=ids).select_related("partnership"):
            trouble = self.trouble(user)
            yield user.pk, str(user), f"({self.noun} {user.pk}) {trouble}" if trouble else ""

    def search(self, text: str, limit: int) -> list[Choice]:
        if not is_storable(text):
            return []
        people = search(self.eligible(), text, ("email", "first_name", "last_name"))
        chosen = people.order_by("first_name", "last_name", "pk")[:limit]
        return [(user.pk, f"{user} ({user.email})" if user.name else user.email) for user in chosen]


class Agents(People):
    noun = "agent"

    def eligible(self) -> UserQuerySet:
        agents: UserQuerySet = User.objects.agents()
        return agents

    def trouble(self, user: User) -> str:
        return "" if user.role == Role.AGENT else "is no agent any more"


class Partners(People):
    noun = "partner"

    def eligible(self) -> UserQuerySet:
        partners: UserQuerySet = User.objects.approved_partners()
        return partners

    def trouble(self, user: User) -> str:
        partnership = getattr(user, "partnership", None)
        if partnership is None or partnership.status != PartnershipStatus.APPROVED:
            return "has no approved partnership"
        return "is suspended as a partner" if partnership.suspended_at else ""
