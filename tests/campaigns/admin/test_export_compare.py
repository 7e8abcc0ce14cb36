import pytest
from django.utils import timezone

from accounts.enums import Gender
from accounts.models import User
from campaigns.admin.sync_lines import PAGE
from campaigns.sync.history import forget_before
from tests.campaigns.admin.sync_steps import make_export, page_of, text
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_runs_are_compared_with_the_one_before_unless_told_otherwise(
    client, manager, synced
) -> None:
    ada = make_user(gender=Gender.FEMALE, first_name="Ada", email="ada@example.com")
    first = synced()
    make_user(gender=Gender.FEMALE, email="beth@example.com")
    second = synced()
    User.objects.filter(pk=ada.pk).update(is_active=False)
    third = synced()

    came = client.get(page_of(second, "compare"))
    went = client.get(page_of(third, "compare"), {"with": first.pk, "side": "left"})

    assert came.context["chosen"] == first
    assert "beth@example.com" in text(came)
    assert (came.context["joined_count"], came.context["left_count"]) == (1, 0)
    assert "ada@example.com" in text(went)
    assert "data changed" in text(went)


def test_comparison_opens_on_whoever_left_when_nobody_joined(client, manager, synced) -> None:
    ada = make_user(gender=Gender.FEMALE, email="ada@example.com")
    synced()
    User.objects.filter(pk=ada.pk).update(is_active=False)

    response = client.get(page_of(synced(), "compare"))

    assert response.context["side"] == "left"
    assert "ada@example.com" in text(response)


def test_changed_definition_is_shown_with_both_in_words(client, manager, segment, synced) -> None:
    first = synced()
    segment.gender = [Gender.MALE.value]
    second = synced()

    page = text(client.get(page_of(second, "compare"), {"with": first.pk}))

    assert "The definition changed." in page
    assert "Customers who are women." in page
    assert "Customers who are men." in page


def test_only_run_of_a_segment_has_nothing_to_be_compared_with(client, manager, synced) -> None:
    assert "Nothing to compare with" in text(client.get(page_of(synced(), "compare")))


def test_run_of_a_deleted_segment_has_nothing_to_be_compared_with(client, manager) -> None:
    page = text(client.get(page_of(make_export(), "compare")))

    assert "The segment was deleted" in page


def test_difference_is_paged(client, manager, synced) -> None:
    first = synced()
    for _ in range(PAGE + 3):
        make_user(gender=Gender.FEMALE)
    second = synced()

    one = client.get(page_of(second, "compare"), {"with": first.pk})
    two = client.get(page_of(second, "compare"), {"with": first.pk, "after": one.context["next"]})

    assert (len(one.context["moves"]), len(two.context["moves"])) == (PAGE, 3)
    assert "First page" in text(two)


def test_comparison_with_a_run_whose_list_is_forgotten_says_so_and_shows_no_numbers(
    client, manager, synced
) -> None:
    first, second = synced(), synced()
    forget_before(timezone.now())

    page = text(client.get(page_of(second, "compare"), {"with": first.pk}))

    assert "is not known any more: prune_exports deleted the stays" in page
    assert "joined" not in page


@pytest.mark.parametrize("asked", [{"with": "999"}, {"with": "x"}, {"side": "gone"}])
def test_runs_are_not_compared_with_what_is_unknown(client, manager, synced, asked) -> None:
    synced()
    response = client.get(page_of(synced(), "compare"), asked)

    assert response.context["chosen"] is None
    (told,) = map(str, response.context["messages"])
    assert "nothing is shown" in told
