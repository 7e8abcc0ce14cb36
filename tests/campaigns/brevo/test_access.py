import pytest
import requests
from responses.matchers import header_matcher

from campaigns.brevo import BrevoClient, BrevoKeyMissing, BrevoKeyWrong, BrevoUrlWrong
from tests.campaigns.brevo.conftest import KEY, LIST_REPLY, ROOT

LIST = f"{ROOT}/contacts/lists/3"


@pytest.mark.parametrize("key", ["", "  ", "\n"])
def test_client_without_a_key_cannot_be_made(key) -> None:
    with pytest.raises(BrevoKeyMissing, match="BREVO_API_KEY"):
        BrevoClient(key)


@pytest.mark.parametrize("key", ["xkeysib\n-1", "schlüssel", "two words"])
def test_client_with_an_impossible_key_cannot_be_made_and_does_not_quote_it(key) -> None:
    with pytest.raises(BrevoKeyWrong) as caught:
        BrevoClient(key)

    assert key not in str(caught.value)


@pytest.mark.parametrize("url", ["", "api.brevo.com", "ftp://api.brevo.com", "http://[", "http://"])
def test_client_with_an_impossible_root_cannot_be_made(url) -> None:
    with pytest.raises(BrevoUrlWrong):
        BrevoClient(KEY, base_url=url)


def test_root_the_http_library_cannot_use_is_a_matter_for_the_operator(time) -> None:
    client = BrevoClient(KEY, base_url="http://.example/v3", sleep=time.sleep)

    with pytest.raises(BrevoUrlWrong):
        client.get_list(3)


def test_key_travels_in_its_header_without_the_line_end_of_its_file(brevo, time) -> None:
    client = BrevoClient(f"{KEY}\n", sleep=time.sleep, clock=time.clock)
    brevo.get(LIST, json=LIST_REPLY, match=[header_matcher({"api-key": KEY})])

    assert client.get_list(3).id == 3


def test_given_session_is_used_and_does_not_come_to_hold_the_key(brevo) -> None:
    session = requests.Session()
    session.headers["X-Ours"] = "1"
    client = BrevoClient(KEY, session=session)
    brevo.get(LIST, json=LIST_REPLY, match=[header_matcher({"X-Ours": "1"})])

    client.get_list(3)

    assert KEY not in repr(vars(session))
