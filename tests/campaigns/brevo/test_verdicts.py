from ssl import SSLCertVerificationError

import pytest
import requests
from urllib3.exceptions import MaxRetryError, SSLError

from campaigns.brevo import (
    BrevoAccountBusy,
    BrevoAddressUnknown,
    BrevoDuplicate,
    BrevoError,
    BrevoFirewall,
    BrevoKeyMissing,
    BrevoKeyWrong,
    BrevoMisconfigured,
    BrevoNotAllowed,
    BrevoNotFound,
    BrevoPermanent,
    BrevoTemporary,
    BrevoUnreachable,
    BrevoUnreadable,
    BrevoUrlWrong,
)
from tests.campaigns.brevo.conftest import LIST_REPLY, ROOT

LISTS = f"{ROOT}/contacts/lists"
LIST = f"{ROOT}/contacts/lists/3"
REFUSALS = {
    "wrong key": (401, {"code": "unauthorized", "message": "Key not found"}, BrevoKeyWrong),
    "no key seen": (
        401,
        {"message": "authentication not found in headers", "code": "unauthorized"},
        BrevoKeyWrong,
    ),
    "unknown address": (
        401,
        {
            "code": "unauthorized",
            "message": "We have detected you are using an unrecognised IP address 203.0.113.9. If "
            "you performed this action make sure to add the new IP address in this link: "
            "https://app.brevo.com/security/authorised_ips",
        },
        BrevoAddressUnknown,
    ),
    "no rights": (403, {"code": "permission_denied", "message": "No"}, BrevoNotAllowed),
    "no credits": (402, {"code": "not_enough_credits", "message": "No"}, BrevoNotAllowed),
    "not there": (404, {"code": "document_not_found", "message": "Gone"}, BrevoNotFound),
    "not there, as 400": (400, {"code": "document_not_found", "message": "Gone"}, BrevoNotFound),
    "message alone": (400, {"message": "Name is too long"}, BrevoPermanent),
    "duplicate": (
        400,
        {
            "code": "invalid_parameter",
            "message": "Unable to create contact",
            "metadata": {"duplicate_identifiers": ["email"]},
        },
        BrevoDuplicate,
    ),
}


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS.values(), ids=REFUSALS)
def test_refusal_keeps_its_evidence_and_is_not_repeated(brevo, client, status, body, kind) -> None:
    brevo.get(LIST, status=status, json=body)

    with pytest.raises(BrevoError) as caught:
        client.get_list(3)

    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code) == (status, body.get("code", ""))
    assert error.brevo_message == body["message"]
    assert f'"{body["message"]}"' in str(error)
    assert str(error).endswith(f"{error.remedy}.")
    assert len(brevo.calls) == 1


def test_operators_remedies_differ_by_what_is_wrong() -> None:
    kinds = [kind for _, _, kind in REFUSALS.values() if issubclass(kind, BrevoMisconfigured)]

    remedies = {kind: kind.default_remedy for kind in [*kinds, BrevoKeyMissing, BrevoUrlWrong]}

    assert len(set(remedies.values())) == len(remedies) == 5
    assert all(remedies.values())


FIREWALL_PAGES = {
    "<html><title>Access denied &amp; logged</title></html>": "says “Access denied & logged” (403)",
    "<html>Forbidden</html>": "refuses this server's requests (403)",
    "[]": "refuses this server's requests (403)",
    "": "refuses this server's requests (403)",
    '{"code": null}': "refuses this server's requests (403)",
}


@pytest.mark.parametrize(("body", "words"), FIREWALL_PAGES.items())
def test_refusal_by_a_firewall_concerns_no_contact(brevo, client, body, words) -> None:
    brevo.post(f"{ROOT}/contacts", status=403, body=body)

    with pytest.raises(BrevoFirewall) as caught:
        client.upsert_contact("ada@b.example", {}, 3)

    error = caught.value
    assert f"A firewall in front of Brevo {words}" in str(error)
    assert (error.concerns_account, error.concerns_contact) == (True, False)


def refused(status: int, code: str, message: str) -> tuple[int, dict[str, str]]:
    return status, {"code": code, "message": message} if code else {"message": message}


ABOUT_THE_ACCOUNT = [
    refused(400, "account_under_validation", "Your account is under validation"),
    refused(400, "account_in_process", "Account in process"),
    refused(400, "permission_denied", "Permission denied"),
    refused(400, "not_enough_credits", "Not enough credits"),
    refused(400, "", "Your account has been suspended. Contact our support"),
    refused(400, "invalid_parameter", "This account is not activated yet"),
    refused(422, "", "You have reached the limit: your plan does not allow more contacts"),
    refused(400, "invalid_parameter", "Contact limit reached"),
    refused(402, "", "Payment required"),
    refused(402, "anything", "Upgrade"),
    refused(403, "", "Unrecognised IP address 203.0.113.9"),
    refused(403, "anything", "No"),
    refused(409, "account_in_process", "Another import is running"),
    refused(409, "", "Conflict"),
    refused(409, "duplicate_request", "Request already processed"),
    refused(401, "unauthorized", "Key not found"),
]
ABOUT_THE_LIST = [
    refused(404, "document_not_found", "List ID does not exist"),
    refused(400, "invalid_parameter", "List ID does not exist"),
    refused(400, "invalid_parameter", "Contact lists [3] not found"),
    refused(404, "", "Not there"),
]
ABOUT_THE_REQUEST = [
    refused(405, "method_not_allowed", "The method is not allowed"),
    refused(413, "invalid_parameter", "Body exceeds 10 MB"),
    (400, {}),
]
ABOUT_A_CONTACT = [
    refused(404, "document_not_found", "Contact does not exist"),
    refused(404, "Contact email not found", "Not there"),
    refused(400, "invalid_parameter", "Contact not found in list"),
    refused(400, "invalid_parameter", "Invalid email address"),
    refused(400, "invalid_parameter", "Invalid phone number"),
    refused(409, "duplicate_parameter", "email is already associated with another Contact"),
    refused(409, "", "Contact already exists"),
    refused(422, "unprocessable_entity", "FIRSTNAME is too long"),
    (
        409,
        {"message": "No", "metadata": {"duplicate_identifiers": ["ext_id"]}},
    ),
]
CONCERNS = [
    *((answer, (True, False)) for answer in ABOUT_THE_ACCOUNT),
    *((answer, (False, False)) for answer in ABOUT_THE_LIST + ABOUT_THE_REQUEST),
    *((answer, (False, True)) for answer in ABOUT_A_CONTACT),
]


@pytest.mark.parametrize(("answer", "concerns"), CONCERNS, ids=str)
def test_refusal_says_whether_it_concerns_the_account_a_contact_or_neither(
    brevo, client, answer, concerns
) -> None:
    status, body = answer
    brevo.post(f"{ROOT}/contacts", status=status, json=body)

    with pytest.raises(BrevoError) as caught:
        client.upsert_contact("ada@b.example", {}, 3)

    error = caught.value
    assert (error.concerns_account, error.concerns_contact) == concerns
    assert body.get("message", "") in str(error)


@pytest.mark.parametrize("answer", ABOUT_THE_LIST, ids=str)
def test_refusal_about_a_list_that_is_gone_is_not_found(brevo, client, answer) -> None:
    status, body = answer
    brevo.post(f"{ROOT}/contacts", status=status, json=body)

    with pytest.raises(BrevoNotFound):
        client.upsert_contact("ada@b.example", {}, 3)


def test_account_that_is_busy_is_asked_again(script, client) -> None:
    body = {"code": "account_in_process", "message": "Another import is running"}
    script.post(f"{ROOT}/contacts", status=409, json=body)
    script.post(f"{ROOT}/contacts", status=204)

    assert client.upsert_contact("ada@b.example", {}, 3) is None


def test_request_that_brevo_has_already_may_be_our_own(brevo, client) -> None:
    body = {"code": "duplicate_request", "message": "Request already processed"}
    brevo.post(LISTS, status=400, json=body)

    with pytest.raises(BrevoAccountBusy) as caught:
        client.create_list("Lagos", 1)

    assert caught.value.may_have_happened
    assert len(brevo.calls) == 1


def test_server_whose_certificate_is_refused_is_told_nothing(brevo, client) -> None:
    why = MaxRetryError(None, "/", SSLError(SSLCertVerificationError("self-signed")))  # type: ignore[arg-type]  # a pool is not needed
    brevo.post(LISTS, body=requests.exceptions.SSLError(why))

    with pytest.raises(BrevoUnreachable) as caught:
        client.create_list("Lagos", 1)

    assert not caught.value.may_have_happened


@pytest.mark.parametrize("body", ["<html>Not Found</html>", "", "{}", "null"])
def test_deletion_at_a_wrong_address_is_not_taken_for_a_list_that_is_gone(
    brevo, client, body
) -> None:
    brevo.delete(LIST, status=404, body=body)

    with pytest.raises(BrevoUrlWrong, match="Check BREVO_API_URL"):
        client.delete_list(3)


def test_brevos_words_are_kept_as_far_as_a_database_can_hold_them(brevo, client) -> None:
    brevo.get(LIST, status=400, json={"code": "c\0", "message": "No\0 " + "\ud800" + "x" * 9_999})

    with pytest.raises(BrevoPermanent) as caught:
        client.get_list(3)

    assert caught.value.code == "c"
    assert caught.value.brevo_message == "No ?" + "x" * 1_996


@pytest.mark.parametrize("body", ['{"id": 3, "na', "<html>", "", "\xff", "[" * 100_000])
def test_unreadable_answer_to_a_read_is_asked_for_again(script, client, body) -> None:
    script.get(LIST, body=body)
    script.get(LIST, json=LIST_REPLY)

    assert client.get_list(3).name == "Lagos"


@pytest.mark.parametrize("body", ['{"id"', '{"id": "x"}', "[]", "{}", "", "null", '{"id": true}'])
def test_unreadable_answer_to_a_creation_may_have_happened(brevo, client, body) -> None:
    brevo.post(LISTS, status=201, body=body)

    with pytest.raises(BrevoUnreadable) as caught:
        client.create_list("Lagos", 1)

    assert caught.value.may_have_happened
    assert len(brevo.calls) == 1


def test_every_wrap_names_its_cause(brevo, client) -> None:
    brevo.post(LISTS, body=requests.ReadTimeout("slow"))

    with pytest.raises(BrevoTemporary, match="took too long") as caught:
        client.create_list("Lagos", 1)

    assert isinstance(caught.value.__cause__, requests.ReadTimeout)
