import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.utils import timezone

from accounts.enums import PartnershipStatus, Role
from accounts.models import Partnership, User

pytestmark = pytest.mark.django_db


def person(role=Role.CLIENT, **fields) -> User:
    return User(email=f"{role}@example.com".lower(), role=role, **fields)


def partner(email, status, suspended_at=None) -> User:
    user = User.objects.create(email=email, role=Role.PARTNER)
    Partnership.objects.create(partner=user, status=status, suspended_at=suspended_at)
    return user


def test_two_users_cannot_share_an_address_in_different_case() -> None:
    User.objects.create_user("ada@example.com")

    with pytest.raises(IntegrityError):
        User.objects.create_user("ADA@EXAMPLE.COM")


def test_login_refuses_a_wrong_password_and_an_inactive_user() -> None:
    User.objects.create_user("ada@example.com", "engine-1843")
    User.objects.create_user("eve@example.com", "apple-0001", is_active=False)

    assert authenticate(username="ada@example.com", password="engine-1844") is None
    assert authenticate(username="eve@example.com", password="apple-0001") is None


@pytest.mark.parametrize("address", ["ada@example.com", "ADA@example.COM", " Ada@Example.com"])
def test_login_takes_the_address_in_any_case(address) -> None:
    ada = User.objects.create_user("Ada@example.com", "engine-1843")

    assert authenticate(username=address, password="engine-1843") == ada


def test_user_without_a_password_cannot_log_in() -> None:
    user = User.objects.create_user("ada@example.com")

    assert not user.has_usable_password()


def test_superuser_is_an_admin() -> None:
    assert User.objects.create_superuser("root@example.com", "x").role == Role.ADMIN


@pytest.mark.parametrize(
    ("role", "staff", "superuser"),
    [
        (Role.CLIENT, False, False),
        (Role.PARTNER, False, False),
        (Role.AGENT, False, False),
        (Role.MANAGER, True, False),
        (Role.ADMIN, True, True),
    ],
)
def test_role_decides_who_is_staff(role, staff, superuser) -> None:
    user = person(role)

    assert (user.is_staff, user.is_superuser, user.has_module_perms("campaigns")) == (
        staff,
        superuser,
        staff,
    )


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        (Role.CLIENT, set()),
        (Role.PARTNER, set()),
        (Role.AGENT, set()),
        (Role.MANAGER, {"campaigns.delete_segment", "accounts.view_user"}),
        (Role.ADMIN, {"campaigns.delete_segment", "accounts.view_user", "accounts.change_user"}),
    ],
)
def test_role_grants_its_permissions_and_no_others(role, granted) -> None:
    asked = {"campaigns.delete_segment", "accounts.view_user", "accounts.change_user"}

    assert {perm for perm in asked if person(role).has_perm(perm)} == granted


def test_inactive_admin_has_no_permission() -> None:
    retired = person(Role.ADMIN, is_active=False)

    assert not retired.has_perm("campaigns.view_segment")
    assert not retired.has_module_perms("campaigns")


def test_has_perms_asks_for_every_one() -> None:
    manager = person(Role.MANAGER)

    assert not manager.has_perms(["accounts.view_user", "accounts.delete_user"])
    assert manager.has_perms(["accounts.view_user", "campaigns.add_segment"])


def test_role_permissions_come_from_the_settings(settings) -> None:
    settings.ROLE_PERMISSIONS = {"AGENT": ["properties.view_*"]}

    assert not person(Role.MANAGER).has_perm("campaigns.view_segment")
    assert person(Role.AGENT).has_perm("properties.view_lead")


def test_customers_are_active_clients_and_partners_only() -> None:
    for number, role in enumerate(Role):
        User.objects.create(email=f"{number}@example.com", role=role)
        User.objects.create(email=f"gone{number}@example.com", role=role, is_active=False)

    assert {user.role for user in User.objects.customers()} == {Role.CLIENT, Role.PARTNER}
    assert User.objects.customers().filter(is_active=False).count() == 0


def test_approved_partners_are_approved_and_not_suspended() -> None:
    for status in PartnershipStatus:
        partner(f"{status}@example.com", status)
    partner("suspended@example.com", PartnershipStatus.APPROVED, timezone.now())
    User.objects.create(email="without@example.com", role=Role.PARTNER)

    approved = User.objects.approved_partners()

    assert [user.email for user in approved] == ["APPROVED@example.com"]


def test_agents_are_users_with_that_role() -> None:
    agent = User.objects.create(email="agent@example.com", role=Role.AGENT)
    User.objects.create(email="client@example.com")

    assert list(User.objects.agents()) == [agent]


def test_name_falls_back_to_the_address() -> None:
    assert str(User(email="ada@example.com")) == "ada@example.com"
    assert User(email="ada@example.com").get_short_name() == "ada@example.com"
    assert str(User(first_name="Ada", last_name="Lovelace")) == "Ada Lovelace"
    assert User(last_name="Lovelace").name == "Lovelace"


def test_partnership_names_the_partner_and_the_status() -> None:
    ada = User(first_name="Ada", role=Role.PARTNER)

    assert str(Partnership(partner=ada, status=PartnershipStatus.REJECTED)) == "Ada (Rejected)"
