import pickle

import pytest

from campaigns.brevo import BrevoError, BrevoKeyWrong, BrevoTemporary
from campaigns.brevo.errors import Answer, in_words


def refused(code: str, message: str, *duplicates: str) -> BrevoError:
    return BrevoError("No", answer=Answer(400, code, message, duplicates))


@pytest.mark.parametrize(
    ("error", "refuses"),
    [
        (refused("invalid_parameter", "Invalid phone number"), True),
        (refused("duplicate_parameter", "SMS is already associated with another Contact"), True),
        (refused("invalid_parameter", "Unable to create contact", "SMS"), True),
        (refused("anything", "Unable to create contact", "email", "sms"), True),
        (refused("duplicate_parameter", "email is already associated", "email"), False),
        (refused("invalid_parameter", "Invalid email address"), False),
        (refused("unauthorized", "Your phone is not verified"), False),
    ],
)
def test_refusal_of_a_phone_is_told_from_other_refusals(error, refuses) -> None:
    assert error.refuses_phone is refuses


@pytest.mark.parametrize(
    ("error", "refuses"),
    [
        (refused("invalid_parameter", "Invalid email address"), True),
        (refused("invalid_parameter", "email is not valid in correct format"), True),
        (refused("anything", "Unable to create contact", "email"), True),
        (refused("invalid_parameter", "Invalid phone number"), False),
        (refused("invalid_parameter", "Unable to create contact", "email", "SMS"), False),
        (refused("invalid_parameter", "List ID does not exist"), False),
        (refused("invalid_parameter", "Your account's email is not validated"), False),
        (refused("account_under_validation", "Confirm your email address first"), False),
        (BrevoError("No", answer=Answer(403, "invalid_parameter", "Invalid email")), False),
    ],
)
def test_refusal_of_one_address_is_told_from_other_refusals(error, refuses) -> None:
    assert error.refuses_address is refuses


def test_error_tells_our_words_then_brevos_then_the_remedy() -> None:
    error = BrevoKeyWrong(
        "Brevo does not accept the API key", answer=Answer(401, "unauthorized", "Key not found")
    )

    assert str(error) == (
        'Brevo does not accept the API key: "Key not found". '
        "Make a new key in Brevo under SMTP & API, and set BREVO_API_KEY to it."
    )


def test_error_says_when_the_work_may_have_been_done() -> None:
    error = BrevoTemporary("The connection broke off", may_have_happened=True)

    assert str(error) == (
        "The connection broke off (it may have been done all the same). Try again later."
    )


def test_error_survives_the_way_to_another_process() -> None:
    error = BrevoTemporary("Later", answer=Answer(429, "c", "m"), retry_after=4.0)

    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.status, copy.retry_after) == (str(error), 429, 4.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (45, "45 seconds"), (119, "119 seconds"), (121, "3 minutes")],
)
def test_durations_are_told_as_a_person_would(seconds, words) -> None:
    assert in_words(seconds) == words
