import requests

from tests.sandbox.brevo.api import person


def page(brevo, path="", **arguments) -> requests.Response:
    return requests.get(brevo.page_url + path, params=arguments, timeout=5)


def test_a_page_that_is_not_there_is_404_with_a_way_back(brevo) -> None:
    for path in ("lists/9", "lists/x", "shoes"):
        answer = page(brevo, path)
        assert answer.status_code == 404
        assert '<a href="/">' in answer.text


def test_the_empty_page_says_what_to_do(brevo) -> None:
    text = page(brevo).text

    assert "Nothing has arrived yet" in text
    assert f"BREVO_API_URL={brevo.url}" in text


def test_a_hostile_name_is_shown_as_text(api, brevo) -> None:
    name = "<script>alert('x')</script> {id}"
    list_id = api.make_list(name, api.make_folder("<b>F</b>"))
    api.import_(list_id, person("a@example.com", FIRSTNAME="<img src=x onerror=alert(1)>"))

    for path in ("", f"lists/{list_id}"):
        answer = page(brevo, path, q='"><script>')
        assert "<script>" not in answer.text
        assert "<img" not in answer.text
        assert "<b>F" not in answer.text
    assert "&lt;img src=x" in page(brevo, f"lists/{list_id}").text
    assert "&lt;script&gt;" in page(brevo).text


def test_a_page_loads_nothing_from_elsewhere(api, brevo) -> None:
    api.make_list()
    answer = page(brevo)

    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "http" not in answer.text.replace(brevo.url, "")


def test_the_front_page_shows_lists_imports_and_requests(api, brevo) -> None:
    list_id = api.make_list("Women in Lagos")
    api.import_(list_id, person("a@example.com"), person("broken"))
    brevo.fault("drop")
    try:
        api.get("/account")
    except requests.ConnectionError:
        brevo.clear_faults()

    text = page(brevo).text

    assert f'<a href="/lists/{list_id}">Women in Lagos</a>' in text
    assert "Campaign Segments" in text
    assert "Import #1" in text
    assert "/files/1/invalid_emails.csv" in text
    assert "POST /contacts/import" in text
    assert "dropped" in text


def test_a_lists_page_shows_its_contacts_their_attributes_and_the_block(api, brevo) -> None:
    list_id = api.make_list("Women in Lagos")
    api.import_(list_id, person("a@example.com", FIRSTNAME="Ada"))
    brevo.block("a@example.com")
    brevo.block("stranger@example.com")

    text = page(brevo, f"lists/{list_id}").text

    assert "a@example.com" in text
    assert "<dt>FIRSTNAME</dt><dd>Ada</dd>" in text
    assert text.count(">blocklisted<") == 1
    assert "stranger" not in text


def test_a_long_list_is_shown_in_pages_and_searched(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, *(person(f"p{number:03}@example.com") for number in range(120)))
    path = f"lists/{list_id}"

    first, last = page(brevo, path).text, page(brevo, path, page=3).text
    assert "p119@" in first
    assert "p069@" not in first
    assert "Page 1 of 3" in first
    assert "p000@" in last
    assert f'href="/{path}?page=2"' in last

    found = page(brevo, path, q="P05").text
    assert found.count("@example.com</td>") == 10
    assert "Page 1 of 1" in found
    assert "No contact matches." in page(brevo, path, q="%").text
    assert "Page 1 of 3" in page(brevo, path, page="-5").text


def test_a_list_without_contacts_says_so(api, brevo) -> None:
    list_id = api.make_list()

    assert "Nobody is on this list." in page(brevo, f"lists/{list_id}").text
