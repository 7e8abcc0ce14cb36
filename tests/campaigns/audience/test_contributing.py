"""The worked examples of CONTRIBUTING.md do what the page says."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.enums import Role
from accounts.models import User
from campaigns.audience.criteria import CRITERIA, Value, registered
from campaigns.audience.criteria.operators import AnyOf
from campaigns.audience.criteria.subjects import Answers
from campaigns.audience.explain import sentence
from campaigns.audience.parsing import parse
from campaigns.audience.query_builder import audience
from tests.factories import make_partner, make_user

PAGE = (Path(settings.BASE_DIR) / "CONTRIBUTING.md").read_text(encoding="utf-8")
CRITERION, OPERATOR = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NAMES: dict[str, Any] = {
    **vars(registered),
    "Role": Role,
    "Any": Any,
    "Answers": Answers,
    "AnyOf": AnyOf,
    "Value": Value,
}


def group(**condition: Any) -> dict[str, Any]:
    return {"match": "ALL", "conditions": [condition]}


@pytest.mark.django_db
def test_the_criterion_of_the_page_is_all_that_a_new_criterion_needs(monkeypatch) -> None:
    partner, client = make_partner(), make_user()
    criterion = eval(CRITERION, NAMES)
    monkeypatch.setitem(CRITERIA, criterion.key, criterion)
    partners = group(criterion="roles", any_of=["PARTNER"])

    assert set(audience(partners)) == {partner}
    assert set(audience(group(criterion="roles", none_of=["PARTNER"]))) == {client}
    assert sentence(partners) == "Customers who are partners."
    assert parse(group(criterion="roles", any_of=["CAPTAIN"])).mistakes


@pytest.mark.django_db
def test_the_operator_of_the_page_is_all_that_a_new_operator_needs(monkeypatch) -> None:
    woman, _ = make_user(gender="FEMALE"), make_user(gender="MALE")
    exec(OPERATOR, NAMES)
    gender = CRITERIA["gender"]
    monkeypatch.setitem(gender.__dict__, "operators", (*gender.operators, NAMES["Is"]()))
    women = group(criterion="gender", **{"is": "female"})

    definition = parse(women)

    assert definition.group.as_json() == group(criterion="gender", **{"is": "FEMALE"})
    assert set(audience(definition)) == {woman}
    assert {user for user in User.objects.all() if definition.group.matches(user)} == {woman}
    assert sentence(definition) == "Customers who are women."
    assert parse(group(criterion="gender", **{"is": ["FEMALE"]})).mistakes
