"""A small shop whose people are told apart by name."""

from typing import Any

from accounts.enums import Consent, Gender
from accounts.models import User
from properties.models import Property
from tests.factories import make_enrollment, make_property, make_user

PALM_COURT = "Palm Court"


def customer(name: str, *, enrolled_in: Property | None = None, **fields: Any) -> User:
    """Make a woman in Lagos, or whoever ``fields`` describe."""
    who = {"gender": Gender.FEMALE, "country": "NG", "state": "Lagos"} | fields
    user = make_user(email=f"{name.lower()}@example.com", first_name=name, last_name="Obi", **who)
    if enrolled_in is not None:
        make_enrollment(user=user, property=enrolled_in)
    return user


def open_shop() -> None:
    """Three women in Lagos are enrolled in Palm Court; Efe is one of them, and opted out."""
    palm_court = make_property(PALM_COURT)
    customer("Ada", enrolled_in=palm_court)
    customer("Bisi", enrolled_in=palm_court)
    customer("Efe", enrolled_in=palm_court, marketing_consent=Consent.OPTED_OUT)
    customer("Chidi", enrolled_in=palm_court, gender=Gender.MALE)
    customer("Dami", enrolled_in=palm_court, state="Kano")
    customer("Funmi", enrolled_in=make_property("Marina Heights"))
    customer("Grace", country="GH", state="Accra")
