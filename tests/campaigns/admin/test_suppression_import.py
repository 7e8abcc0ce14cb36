from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from campaigns.admin import suppression_import
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import Suppression
from tests.factories import make_manager, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def manager(client) -> User:
    manager = make_manager()
    client.force_login(manager)
    return manager


def upload(client: Client, content: str | bytes) -> Any:
    content = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("addresses.csv", content, content_type="text/csv")
    data = {"import_file": file, "format": "0", "resource": "0"}
    return client.post(reverse("admin:campaigns_suppression_import"), data)


def confirm(client: Client, looked_at: Any) -> Any:
    data = looked_at.context["confirm_form"].initial
    return client.post(reverse("admin:campaigns_suppression_process_import"), data, follow=True)


def bring(client: Client, content: str) -> list[str]:
    """Upload and confirm; return what is said at the end."""
    done = confirm(client, upload(client, content))
    return [str(message) for message in done.context["messages"]]


def problems(looked_at: Any) -> list[tuple[int, str, str]]:
    assert "confirm_form" not in looked_at.context
    return list(looked_at.context["result"].invalid_shown)


def test_looking_at_a_file_tells_what_it_would_do_and_changes_nothing(client) -> None:
    Suppression.objects.create(email="old@example.com")
    told = upload(client, "email\nnew@example.com\nOLD@example.com\n").context["result"]
    assert (told.new, told.kept, told.strengthened) == (1, 1, 0)
    assert Suppression.objects.count() == 1


def test_a_confirmed_file_is_imported_with_who_brought_it_and_whose_address_it_is(
    client, manager
) -> None:
    person = make_user(email="ada@example.com")
    said = bring(client, "email,reason,note\n Ada@Example.com,unsubscribed,by letter\n")
    row = Suppression.objects.get()
    assert (row.email, row.reason, row.note) == ("ada@example.com", "UNSUBSCRIBED", "by letter")
    assert (row.source, row.created_by, row.user) == (SuppressionSource.CSV, manager, person)
    assert said == ["Addresses suppressed: 1."]


def test_addresses_suppressed_already_are_kept_and_reported(client) -> None:
    old = Suppression.objects.create(
        email="old@example.com", reason=SuppressionReason.COMPLAINED, note="first"
    )
    said = bring(client, "email,reason,note\nold@example.com,BOUNCED,second\nnew@example.com,,\n")
    old.refresh_from_db()
    assert (old.reason, old.note, old.source) == ("COMPLAINED", "first", SuppressionSource.ADMIN)
    assert said == ["Addresses suppressed: 1. Suppressed already, and kept as they were: 1."]


def test_a_bounce_gives_way_to_a_reason_that_follows_the_person(client) -> None:
    Suppression.objects.create(email="old@example.com", reason=SuppressionReason.BOUNCED)
    looked_at = upload(client, "email,reason\nold@example.com,UNSUBSCRIBED\n")
    assert looked_at.context["result"].strengthened == 1
    confirm(client, looked_at)
    assert Suppression.objects.get().reason == SuppressionReason.UNSUBSCRIBED


def test_an_address_that_stands_twice_in_a_file_is_imported_once(client) -> None:
    told = upload(client, "email\na@example.com\nA@example.com\n")
    assert (told.context["result"].new, told.context["result"].kept) == (1, 1)
    confirm(client, told)
    assert Suppression.objects.count() == 1


def test_bad_rows_name_line_field_and_remedy_and_nothing_can_be_confirmed(client) -> None:
    rows = ["email,reason,note", "good@example.com,,", f"nobody,bored,{'x' * 301}"]
    told = problems(upload(client, "\n".join(rows)))
    known = ", ".join(SuppressionReason.values)
    assert told == [
        (3, "reason", f"“bored” is no reason: write one of {known}, or leave it empty."),
        (3, "note", "Has 301 characters: shorten it to 300."),
        (3, "email", "“nobody” is no e-mail address: correct it, or delete the row."),
    ]
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("separator", [",", ";"])
def test_files_of_spreadsheets_are_understood(client, separator) -> None:
    lines = [["Reason", "E-MAIL ".replace("-", ""), "other"], ["Set by hand", "a@example.com", "x"]]
    bring(client, "\ufeff" + "\r\n".join(separator.join(line) for line in lines))
    assert Suppression.objects.get().reason == SuppressionReason.BY_HAND


def test_an_export_can_be_imported_again(client) -> None:
    Suppression.objects.create(email="=1+1@example.com", reason=SuppressionReason.BOUNCED)
    exported = client.get(reverse("admin:campaigns_suppression_export")).getvalue()
    told = upload(client, exported).context["result"]
    assert (told.new, told.kept) == (0, 1)


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        ("address\na@example.com\n", "The first line must name the columns"),
        (
            "email\na@example.com\nb@example.com\nc@example.com\n",
            "split it into files of 2 at most",
        ),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_says_what_to_do(
    client, monkeypatch, content, remedy
) -> None:
    monkeypatch.setattr(suppression_import, "MOST_ROWS", 2)
    answer = upload(client, content)
    assert "confirm_form" not in answer.context
    assert remedy in answer.content.decode()


@pytest.mark.parametrize("content", [b"email\n\xff\xfe@example.com\n", b"email\na@b.com,c,d\n"])
def test_a_file_that_is_no_csv_in_utf_8_says_how_to_save_it(client, content) -> None:
    assert "save it as CSV in UTF-8" in upload(client, content).content.decode()


def test_a_file_too_large_is_refused(client, monkeypatch) -> None:
    monkeypatch.setattr(suppression_import, "MOST_BYTES", 10)
    assert "split it into several" in upload(client, "email\na@example.com\n").content.decode()


def test_confirming_twice_imports_once_and_explains(client) -> None:
    looked_at = upload(client, "email\na@example.com\n")
    confirm(client, looked_at)
    again = confirm(client, looked_at)
    assert "imported already" in str(next(iter(again.context["messages"])))
    assert Suppression.objects.count() == 1


def test_only_an_upload_of_this_page_can_be_confirmed(client, tmp_path, monkeypatch) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("email\na@example.com\n")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    data = {"import_file_name": secret.name, "original_file_name": "x", "format": "0"}
    answer = client.post(reverse("admin:campaigns_suppression_process_import"), data)
    assert "Upload the file again." in answer.content.decode()
    assert Path(secret).exists()
    assert not Suppression.objects.exists()


def test_the_look_and_the_import_cost_no_query_per_row(
    client, django_assert_max_num_queries
) -> None:
    content = "email\n" + "\n".join(f"{number}@example.com" for number in range(200))
    with django_assert_max_num_queries(15):
        looked_at = upload(client, content)
    with django_assert_max_num_queries(25):
        confirm(client, looked_at)
    assert Suppression.objects.count() == 200


def test_who_may_not_add_may_not_import(client, settings) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": ["campaigns.view_suppression"]}
    assert client.get(reverse("admin:campaigns_suppression_import")).status_code == 403
    assert client.post(reverse("admin:campaigns_suppression_process_import")).status_code == 403


def test_whose_session_ended_between_look_and_import_comes_back_to_the_upload(client) -> None:
    looked_at = upload(client, "email\nnew@example.com\n")
    client.logout()
    data = looked_at.context["confirm_form"].initial

    answer = client.post(reverse("admin:campaigns_suppression_process_import"), data)

    back = reverse("admin:campaigns_suppression_import")
    assert answer.url == f"{reverse('admin:login')}?next={back}"
    assert not Suppression.objects.exists()


def test_address_that_says_two_things_in_one_file_is_not_reported_as_kept(client) -> None:
    said = bring(client, "email,reason\nada@example.com,BOUNCED\nada@example.com,COMPLAINED\n")

    assert Suppression.objects.get().reason == SuppressionReason.COMPLAINED
    assert said == ["Addresses suppressed: 1."]
