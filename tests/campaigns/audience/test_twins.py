"""The database and the plain-Python twins select the same people, whatever is asked of whom."""

from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, ClassVar

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.enums import CUSTOMER_ROLES, Consent, Gender, Role
from accounts.models import User
from accounts.text import squeeze
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.criteria.values import is_visible
from campaigns.audience.parsing import parse
from campaigns.audience.query_builder import audience
from properties.enums import EnrollmentStatus, LeadStatus
from properties.models import Enrollment, Lead
from tests.factories import make_agent, make_partner, make_property

ODD_TEXTS = (
    *("Lagos", " LAGOS ", "la gos", "La\t  Gos", "ÉTAT", "état", "E\u0301TAT", "İzmir", "izmir"),
    *("i̇zmir", "IZMIR", "ß", "SS", "ss", "ẞ", "ΔΣ", "δς", "ﬁ", "fi", "%", "_", "\\", "'"),
)
any_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=3
).map(squeeze)
texts = st.one_of(st.sampled_from(ODD_TEXTS), st.sampled_from(ODD_TEXTS), any_text)
OFFERED = {
    "countries": st.sampled_from(["NG", "GH"]),
    "states": texts.filter(is_visible),
    "traffic_sources": texts.filter(is_visible),
}
NUMBERS = count()

references = st.none() | st.integers(0, 1)
matches = st.sampled_from(["ALL", "ANY"])
days = st.integers(-3, 3).map(lambda n: timezone.localdate() - timedelta(days=n))
OPERANDS: dict[str, st.SearchStrategy[Any]] = {  # of operators that take no list of values
    "between": st.tuples(days, days).map(lambda pair: [day.isoformat() for day in sorted(pair)]),
    "within_days": st.integers(1, 4),
    "before_days": st.integers(1, 4),
}
statuses = st.sampled_from([*EnrollmentStatus.values, EnrollmentStatus.CANCELLED])
people = st.fixed_dictionaries(
    {
        "gender": st.sampled_from(["", *Gender.values]),
        "country": st.sampled_from(["NG", "GH", "KE", ""]),
        "state": texts | st.just(""),
        "referral_source": texts | st.just(""),
        "role": st.sampled_from([Role.CLIENT] * 4 + Role.values),
        "marketing_consent": st.sampled_from(Consent.values),
        "is_active": st.sampled_from([True, True, True, False]),
        "joined": st.integers(-2, 5).flatmap(
            lambda day: st.sampled_from([timedelta(days=day), timedelta(days=day, seconds=1)])
        ),
        "partner": references,
        "enrolments": st.lists(
            st.tuples(st.integers(0, 2), references, statuses),
            max_size=3,
        ),
        "leads": st.lists(st.tuples(references, st.sampled_from(LeadStatus.values)), max_size=2),
    }
)


def group(match: str, conditions: list[Any]) -> dict[str, Any]:
    return {"match": match, "conditions": conditions}


def condition(key: str, operator: str, operand: Any) -> dict[str, Any]:
    return {"criterion": key, operator: operand}


class TwinTests(TestCase):
    scene: ClassVar[dict[str, list[Any]]]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.scene = {
            "properties": [make_property() for _ in range(3)],
            "agents": [make_agent() for _ in range(2)],
            "partners": [make_partner() for _ in range(2)],
        }

    def save(self, person: dict[str, Any]) -> User:
        person = dict(person)
        enrolments, leads = person.pop("enrolments"), person.pop("leads")
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        joined = midnight - person.pop("joined")
        pick = partial(self.pick, "agents")
        person["referred_by_partner"] = self.pick("partners", person.pop("partner"))
        user = User.objects.create(email=f"twin{next(NUMBERS)}@example.com", **person)
        User.objects.filter(pk=user.pk).update(date_joined=joined)
        Enrollment.objects.bulk_create(
            Enrollment(user=user, property=self.pick("properties", p), agent=pick(a), status=status)
            for p, a, status in enrolments
        )
        Lead.objects.bulk_create(
            Lead(client=user, property=self.pick("properties", 0), closed_by=pick(a), status=status)
            for a, status in leads
        )
        return user

    def pick(self, kind: str, index: int | None) -> Any:
        return None if index is None else self.scene[kind][index]

    def conditions(self) -> st.SearchStrategy[dict[str, Any]]:
        return st.one_of(
            [
                st.builds(condition, st.just(key), st.just(operator.key), operands)
                for key, criterion in CRITERIA.items()
                for operator in criterion.operators
                for operands in [self.operands(key, operator.key)]
            ]
        )

    def operands(self, key: str, operator: str) -> st.SearchStrategy[Any]:
        known = OPERANDS.get(operator)
        return self.values_of(key) if known is None else known

    def values_of(self, key: str) -> st.SearchStrategy[list[Any]]:
        offered = [value for value, _ in CRITERIA[key].search("")]
        return st.lists(OFFERED.get(key, st.sampled_from(offered)), min_size=1, max_size=3)

    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(people, min_size=3, max_size=5), st.data())
    def test_database_and_python_select_the_same_people(self, crowd, data) -> None:
        for person in crowd:
            self.save(person)
        conditions = self.conditions()
        groups = st.builds(group, matches, st.lists(conditions, min_size=1, max_size=3))
        for key, criterion in CRITERIA.items():
            for operator in criterion.operators:
                operand = data.draw(self.operands(key, operator.key))
                self.check(group("ALL", [condition(key, operator.key, operand)]))
        entries = st.lists(conditions | groups, min_size=1, max_size=4)
        self.check(group("ALL", data.draw(entries)))
        self.check(group("ANY", data.draw(entries)))

    def check(self, raw: dict[str, Any]) -> None:
        everyone = User.objects.prefetch_related("enrollments", "leads")
        definition = parse(raw)

        selected = list(audience(definition))

        expected = {
            user
            for user in everyone
            if user.is_active and user.role in CUSTOMER_ROLES and definition.group.matches(user)
        }
        assert set(selected) == expected
        assert len(selected) == len(expected) == audience(raw).count()
