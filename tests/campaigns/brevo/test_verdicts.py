import pytest
import requests

from campaigns.brevo import (
    BrevoAddressUnknown,
    BrevoDuplicate,
    BrevoError,
    BrevoKeyMissing,
    BrevoKeyWrong,
    BrevoMisconfigured,
    BrevoNotAllowed,
    BrevoNotFound,
    BrevoPermanent,
    BrevoTemporary,
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


@pytest.mark.parametrize("body", ["<html>Forbidden</html>", "[]", "", '{"code": null}'])
def test_refusal_by_a_firewall_is_permanent_not_a_matter_of_the_account(
    brevo, client, body
) -> None:
    brevo.get(LIST, status=403, body=body)

    with pytest.raises(BrevoPermanent) as caught:
        client.get_list(3)

    assert (caught.value.status, caught.value.brevo_message) == (403, "")


@pytest.mark.parametrize("body", ["<html>Not Found</html>", "", "{}", "null"])
def test_deletion_at_a_wrong_address_is_not_taken_for_a_list_that_is_gone(
    brevo, client, body
) -> None:
    brevo.delete(LIST, status=404, body=body)

    with pytest.raises(BrevoUrlWrong, match="Check BREVO_API_URL"):
        client.delete_list(3)


@pytest.mark.parametrize("body", ['{"id": 3, "na', "<html>", "", "\xff"])
def test_unreadable_answer_to_a_read_is_asked_for_again(script, client, body) -> None:
    script.get(LIST, body=body)
    script.get(LIST, json=LIST_REPLY)

    assert client.get_list(3).name == "Lagos"


@pytest.mark.parametrize("body", ['{"id"', '{"id": "5"}', "[]", "{}", "", "null", '{"id": true}'])
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
