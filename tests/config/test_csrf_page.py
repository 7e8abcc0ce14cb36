from django.test import Client
from django.urls import reverse


def test_form_that_was_open_too_long_says_what_to_do(db) -> None:
    answer = Client(enforce_csrf_checks=True).post(reverse("admin:login"))

    assert answer.status_code == 403
    assert "Nothing was changed." in answer.content.decode()
    assert reverse("admin:index") in answer.content.decode()
