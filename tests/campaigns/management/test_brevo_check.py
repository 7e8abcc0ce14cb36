import pytest
import requests
from django.utils import timezone

from accounts.refolding import mark
from campaigns.brevo import BrevoClient
from campaigns.models import BrevoList, Segment
from campaigns.sync import events
from sandbox.brevo import lists as brevo_lists
from sandbox.brevo.server import Sandbox
from tests.factories import make_segment, make_user

pytestmark = pytest.mark.django_db

COMMAND = "brevo_check"


@pytest.fixture
def client(brevo) -> BrevoClient:
    return BrevoClient(brevo.key, base_url=brevo.url, requests_per_second=1000)


def lines(said, mark) -> list[str]:
    return [line.removeprefix(f"{mark} ") for line in said.out.splitlines() if line[:2] == mark]


def test_fresh_account_is_fine_and_stays_untouched(brevo, run) -> None:
    said = run(COMMAND)

    assert (said.code, lines(said, "!!")) == (0, [])
    assert "The key is good for the account of " in said.out
    assert "Attributes that the first sync makes: COUNTRY, STATE, REFERRAL_SOURCE." in said.out
    assert "Folder “Campaign Segments” is made together with the first list in it." in said.out
    assert {method for method, _, _ in brevo.requests} == {"GET"}


def test_segment_with_its_list_is_fine(brevo, run) -> None:
    segment = make_segment(name="Women", brevo_list_id=None)

    said = run(COMMAND)

    assert said.code == 0
    told = f"List {segment.brevo_list_id} of segment “Women” is there."
    assert told in lines(said, "ok")


@pytest.mark.parametrize("number", [1, 60])
def test_lists_of_many_segments_are_read_in_few_requests(brevo, run, number) -> None:
    for n in range(number):
        make_segment(name=f"Segment number {n}", brevo_list_id=None)
    brevo.clear_requests()

    assert run(COMMAND).code == 0

    assert len(brevo.requests) <= 8


def test_list_that_is_gone_is_wrong(brevo, client, run) -> None:
    segment = make_segment(name="Women", brevo_list_id=None)
    client.delete_list(segment.brevo_list_id)

    said = run(COMMAND)

    assert said.code == 1
    what = f"List {segment.brevo_list_id} of segment “Women”"
    assert lines(said, "!!") == [f"{what} is gone from Brevo: the next sync makes a new one."]


def test_segment_without_a_list_is_wrong(brevo, run) -> None:
    Segment.objects.filter(pk=make_segment(name="Women", brevo_list_id=None).pk).update(
        brevo_list_id=None
    )

    said = run(COMMAND)

    assert said.code == 1
    assert "Segment “Women” has no list: the next sync makes a new one." in said.out
    assert "belongs to no segment, with 0 contacts" in said.out


def test_list_with_another_name_is_wrong(brevo, client, run) -> None:
    client.rename_list(make_segment(name="Women", brevo_list_id=None).brevo_list_id, "Ladies")

    said = run(COMMAND)

    assert said.code == 1
    assert "is called “Ladies” at Brevo: rename it there." in lines(said, "!!")[0]


def test_list_in_another_folder_is_only_noted(brevo, client, run) -> None:
    elsewhere = client.create_list("Women", client.ensure_folder("Elsewhere"))
    make_segment(name="Women", brevo_list_id=elsewhere)

    said = run(COMMAND)

    assert said.code == 0
    assert "lies outside our folder" in "".join(lines(said, "--"))


def test_list_of_no_segment_in_our_folder_is_wrong(brevo, client, run) -> None:
    left = client.create_list("Old campaign", client.ensure_folder("Campaign Segments"))

    said = run(COMMAND)

    assert said.code == 1
    assert f"List {left} “Old campaign” lies in our folder and belongs to no segment" in said.out


def test_lists_in_another_account_are_named_once_and_no_list_here_is_to_be_renamed(
    brevo, client, run, settings
) -> None:
    first, second = (make_segment(name=n, brevo_list_id=None) for n in ("Women", "Men"))
    with Sandbox(organization="another") as other:
        there = BrevoClient(other.key, base_url=other.url, requests_per_second=1000)
        there.create_list("Board members only", there.ensure_folder("Colleagues"))
        settings.BREVO_API_URL = other.url

        said = run(COMMAND)

    assert said.code == 1
    (told,) = lines(said, "!!")
    assert "in the Brevo account “Stand-in for Brevo” (000000000000000000000001)" in told
    assert "BREVO_API_KEY is a key of “Stand-in for Brevo” (another)" in told
    assert f"“Women” ({first.brevo_list_id}), “Men” ({second.brevo_list_id})" in told
    assert "manage.py release_list --all" in told
    assert "rename" not in told.replace("renamed or deleted", "")


@pytest.mark.parametrize("is_remembered", [True, False])
def test_other_list_at_the_same_id_is_wrong_and_is_not_to_be_renamed(
    brevo, run, is_remembered
) -> None:
    make_segment(name="Women", brevo_list_id=None)
    if not is_remembered:
        BrevoList.objects.all().delete()
    with brevo.store.writing():
        brevo_lists.delete_list(brevo.store, 1)
        brevo_lists.give_id_again(brevo.store, 1)

    said = run(COMMAND)

    (told,) = lines(said, "!!")
    assert "“Board members only”" in told
    assert "rename" not in told


def test_list_that_is_said_once_to_be_gone_is_fine(brevo, client, run) -> None:
    elsewhere = client.create_list("Women", client.ensure_folder("Elsewhere"))
    make_segment(name="Women", brevo_list_id=elsewhere)
    brevo.fault("list-404*1")

    assert run(COMMAND).code == 0


def test_list_that_was_given_up_and_is_there_again_is_wrong(brevo, run) -> None:
    segment = make_segment(name="Women", brevo_list_id=None)
    BrevoList.objects.update(given_up_at=timezone.now())
    Segment.objects.filter(pk=segment.pk).update(brevo_list_id=None)

    said = run(COMMAND)

    told = f"List {segment.brevo_list_id} “Women” is there again, although segment “Women” gave it"
    assert any(line.startswith(told) for line in lines(said, "!!"))


def test_contacts_of_a_list_of_no_segment_are_really_counted(brevo, client, run) -> None:
    left = client.create_list("Old campaign", client.ensure_folder("Campaign Segments"))
    brevo.put_on_list(left, "ada@example.com")
    brevo.fault("uncounted")

    assert "belongs to no segment, with 1 contacts: move it" in run(COMMAND).out


def test_attribute_of_the_wrong_type_is_wrong(brevo, run) -> None:
    url = f"{brevo.url}/contacts/attributes/normal/STATE"
    requests.post(url, json={"type": "date"}, headers={"api-key": brevo.key}, timeout=5)

    said = run(COMMAND)

    assert said.code == 1
    assert lines(said, "!!")[0].startswith("Attribute STATE holds no text")


def test_webhook_is_found_once_it_is_installed(settings, brevo, run) -> None:
    settings.BREVO_WEBHOOK_TOKEN = "token"
    before = run(COMMAND)
    run("brevo_webhook", "--install", "https://shop.example/webhooks/brevo/")

    after = run(COMMAND)

    assert "No webhook of ours" in "".join(lines(before, "--"))
    assert "Webhook 1 calls https://shop.example/webhooks/brevo/ for " in after.out
    assert lines(after, "--") == []


def test_events_that_were_not_understood_are_noted_with_the_reason(settings, brevo, run) -> None:
    settings.BREVO_WEBHOOK_TOKEN = "token"
    events.keep(b'{"event": "spam"}')
    events.process_pending()

    noted = lines(run(COMMAND), "--")[0]

    assert noted.startswith("Webhook events that were not understood: 1.")
    assert noted.endswith("The event names no usable address.")


def test_budgets_say_what_is_left_of_the_hour(settings, brevo, run) -> None:
    settings.BREVO_REQUESTS_PER_SECOND, settings.BREVO_OTHER_REQUESTS_PER_HOUR = 10, 100

    told = "10 requests per second for contacts, and 98 of 100 per hour left"
    assert told in run(COMMAND).out


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("unknown-ip", "Security, Authorised IPs"),
        ("key-revoked", "Make a new key in Brevo"),
    ],
)
def test_refused_key_ends_the_check_with_what_to_do(brevo, run, fault, why) -> None:
    brevo.fault(fault)

    said = run(COMMAND)

    assert said.code == 1
    assert len(said.out.splitlines()) == 1
    assert why in lines(said, "!!")[0]


def test_brevo_that_cannot_be_reached_is_tried_for_one_section_alone(
    monkeypatch, settings, run
) -> None:
    monkeypatch.setattr(BrevoClient, "LONGEST_BACKOFF", 0.0)
    settings.BREVO_API_URL = "http://127.0.0.1:9/v3"

    said = run(COMMAND)

    told = "Brevo cannot be reached. Check the network and BREVO_API_URL, or try again later."
    assert (said.code, said.out) == (1, f"!! {told}\n")


def test_what_cannot_be_asked_is_wrong_and_the_rest_is_told(monkeypatch, brevo, run) -> None:
    monkeypatch.setattr(BrevoClient, "LONGEST_BACKOFF", 0.0)
    brevo.fault("html@GET /contacts/attributes")

    said = run(COMMAND)

    assert said.code == 1
    assert lines(said, "!!")[0].startswith("Attributes: not known. ")
    assert "Budgets: " in said.out


def test_person_who_was_marked_as_a_duplicate_is_named(brevo, run) -> None:
    first = make_user(email="john@example.com")
    later = make_user(email=mark("john@example.com", "person", 99, first.pk, 254))

    said = run(COMMAND)

    assert said.code == 1
    told = f"Person {later.pk} has the e-mail address of person {first.pk}, and is not mailed"
    assert lines(said, "!!") == [f"{told}: correct or delete one: {later.email}"]


def test_missing_key_is_one_sentence(settings, run) -> None:
    settings.BREVO_API_KEY = ""

    said = run(COMMAND)

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("No API key for Brevo is set. Set BREVO_API_KEY")


def test_attribute_that_holds_values_of_others_is_noted_with_how_many_were_looked_at(
    brevo, run
) -> None:
    headers = {"api-key": brevo.key}
    url = f"{brevo.url}/contacts/attributes/normal/STATE"
    requests.post(url, json={"type": "text"}, headers=headers, timeout=5)
    for number, state in enumerate(["WON", "Lagos", ""]):
        make_user(email=f"ada{number}@example.com", state="Lagos")
        body = {"email": f"ada{number}@example.com", "attributes": {"STATE": state}}
        requests.post(f"{brevo.url}/contacts", json=body, headers=headers, timeout=5)

    said = run(COMMAND)

    assert said.code == 0
    assert lines(said, "--")[0] == (
        "STATE holds values that are not ours, such as “WON”, for 1 of 3 contacts looked at: a "
        "sync overwrites them for the people it sends. To keep them, set "
        "BREVO_ATTRIBUTES=state=OUR_STATE."
    )


def test_account_without_an_attribute_for_phones_is_noted(brevo, run) -> None:
    with brevo.store.writing() as store:
        store.execute("DELETE FROM attribute WHERE name = 'SMS'")

    assert "no attribute SMS" in "".join(lines(run(COMMAND), "--"))
