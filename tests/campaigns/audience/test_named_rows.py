import pytest

from campaigns.audience.definition import problems
from campaigns.audience.explain import sentence
from campaigns.audience.named_rows import looked_up_once
from tests.factories import definition, make_property

pytestmark = pytest.mark.django_db


def test_what_is_named_is_looked_up_once_for_all_questions_inside(
    django_assert_num_queries,
) -> None:
    named = definition(properties=[make_property("Palm Court").pk])

    with django_assert_num_queries(1), looked_up_once():
        assert problems(named) == []
        assert sentence(named) == "Customers who are enrolled in Palm Court."
        assert problems(named) == []


def test_outside_each_question_looks_anew_for_a_row_may_have_gone() -> None:
    palm = make_property("Palm Court")
    named = definition(properties=[palm.pk])
    with looked_up_once():
        assert problems(named) == []

    palm.delete()

    assert problems(named)


def test_a_question_inside_another_shares_what_the_outer_one_knows(
    django_assert_num_queries,
) -> None:
    named = definition(properties=[make_property().pk])

    with django_assert_num_queries(1), looked_up_once():
        problems(named)
        with looked_up_once():
            problems(named)
