import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import User
from properties.enums import EnrollmentStatus
from properties.models import Enrollment, Lead, Property

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create(email="ada@example.com", first_name="Ada")


@pytest.fixture
def palm_court() -> Property:
    return Property.objects.create(name=" Palm  Court ", city="Lagos", country="NG")


def test_amount_below_zero_is_refused(ada, palm_court) -> None:
    with pytest.raises(ValidationError, match="amount"):
        Enrollment(user=ada, property=palm_court, amount=-1).full_clean()


def test_two_properties_cannot_share_a_name_in_different_spacing(palm_court) -> None:
    with pytest.raises(IntegrityError):
        Property.objects.create(name="Palm Court ")


def test_every_enrolment_counts_but_the_cancelled(ada, palm_court) -> None:
    for status in EnrollmentStatus:
        Enrollment.objects.create(user=ada, property=palm_court, status=status)

    counting = Enrollment.objects.counting().values_list("status", flat=True)

    assert set(counting) == set(EnrollmentStatus) - {EnrollmentStatus.CANCELLED}


def test_agent_who_goes_leaves_enrolments_and_leads_behind(ada, palm_court) -> None:
    agent = User.objects.create(email="agent@example.com", role="AGENT")
    enrolment = Enrollment.objects.create(user=ada, property=palm_court, agent=agent)
    lead = Lead.objects.create(client=ada, property=palm_court, status="CLOSED", closed_by=agent)

    agent.delete()

    enrolment.refresh_from_db()
    lead.refresh_from_db()
    assert (enrolment.agent, lead.closed_by) == (None, None)


def test_rows_name_the_person_and_the_property(ada, palm_court) -> None:
    assert str(palm_court) == "Palm Court"
    assert str(Enrollment(user=ada, property=palm_court)) == "Ada in Palm Court"
    assert str(Lead(client=ada, property=palm_court)) == "Ada about Palm Court"
