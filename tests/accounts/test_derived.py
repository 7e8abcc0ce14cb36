import pytest
from django.core.exceptions import ValidationError
from django.db.models import F, Value
from django.db.models.functions import Upper

from accounts.models import User

pytestmark = pytest.mark.django_db


def derived(user) -> tuple[str, bool, str, str]:
    user.refresh_from_db()
    return user.email_key, user.email_is_usable, user.phone_e164, user.state_key


@pytest.fixture
def ada() -> User:
    return User.objects.create(email="ada@example.com", phone="+2348031234567", state="Lagos")


def test_update_refuses_an_expression_and_names_both_columns(ada) -> None:
    with pytest.raises(TypeError, match=r"state cannot be set by an expression: state_key is"):
        User.objects.update(state=Upper(F("state")))
    with pytest.raises(TypeError, match="email_key"):
        User.objects.update(email=Value("new@example.com"))
    assert ada.state_key == "lagos"


def test_save_computes_every_derived_column() -> None:
    user = User.objects.create(
        email=" Ngozi@Example.COM ", phone="+44 7500 123 456", state=" Greater  LONDON "
    )

    assert derived(user) == ("ngozi@example.com", True, "+447500123456", "greater london")


def test_save_overwrites_a_derived_value_set_by_hand(ada) -> None:
    ada.email_key = "eve@example.com"
    ada.save()

    assert derived(ada)[0] == "ada@example.com"


def test_save_with_update_fields_saves_what_is_derived_from_them_and_nothing_else(ada) -> None:
    ada.state, ada.phone = "KANO", "+447500123456"
    ada.save(update_fields=["state"])

    assert derived(ada) == ("ada@example.com", True, "+2348031234567", "kano")


def test_save_without_any_update_field_changes_nothing(ada) -> None:
    ada.state = "KANO"
    ada.save(update_fields=[])

    assert derived(ada)[3] == "lagos"


def test_bulk_create_computes_derived_columns() -> None:
    User.objects.bulk_create([User(email="A..B@example.com", state="Oyo ", phone="0803")])

    assert derived(User.objects.get()) == ("a..b@example.com", False, "", "oyo")


def test_bulk_create_that_updates_conflicts_updates_derived_columns(ada) -> None:
    again = User(email="ADA@example.com", state="Enugu", phone="+447500123456")
    User.objects.bulk_create(
        [again], update_conflicts=True, unique_fields=["email_key"], update_fields=["state"]
    )

    assert derived(ada) == ("ada@example.com", True, "+2348031234567", "enugu")


def test_bulk_update_updates_derived_columns(ada) -> None:
    ada.email, ada.phone = "Lovelace@example.com", "nonsense"
    User.objects.bulk_update([ada], ["email", "phone"])

    assert derived(ada) == ("lovelace@example.com", True, "", "lagos")


def test_update_updates_derived_columns(ada) -> None:
    User.objects.filter(pk=ada.pk).update(email="Nobody@@example.com", state="  RIVERS")

    assert derived(ada) == ("nobody@@example.com", False, "+2348031234567", "rivers")
    assert ada.state == "RIVERS"


@pytest.mark.parametrize("address", ["ada@example.com", "ADA@Example.Com"])
def test_full_clean_reports_a_taken_address_under_email_whatever_its_case(ada, address) -> None:
    twin = User(email=address)
    twin.set_unusable_password()

    with pytest.raises(ValidationError) as caught:
        twin.full_clean()

    assert caught.value.message_dict == {
        "email": ["A user with this e-mail address exists already."]
    }


def test_full_clean_lets_a_user_keep_their_own_address(ada) -> None:
    ada.set_unusable_password()
    ada.email = "ADA@example.com"

    ada.full_clean()

    assert ada.email_key == "ada@example.com"


def test_full_clean_without_the_email_does_not_ask_whether_it_is_taken(ada) -> None:
    twin = User(email="Ada@example.com")
    twin.set_unusable_password()

    twin.full_clean(exclude=["email"])

    assert twin.email_key == "ada@example.com"
