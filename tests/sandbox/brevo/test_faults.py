import time
from collections.abc import Callable

import pytest
import requests

from sandbox.brevo.faults import BadFault, Fault
from sandbox.brevo.server import Sandbox
from tests.sandbox.brevo.api import Api, error, person


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "teapot",
        "418",
        "slow",
        "500=3",
        "429@/contacts",
        "429@POST contacts",
        "429*many",
        "slow=x",
        "import-ends",
        "import-stuck=soon",
        "late=5m",
        "html=3",
        "524@POST /contacts+x",
    ],
)
def test_a_fault_nobody_can_read_is_refused_with_the_syntax(spec) -> None:
    with pytest.raises(BadFault, match=r"KIND\[=VALUE\]\[@METHOD PATHGLOB\]"):
        Fault.parse(spec)


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (
            "524@POST /contacts/import*1",
            Fault("524", method="POST", glob="/contacts/import", times=1),
        ),
        ("slow=3@GET /processes/*", Fault("slow", 3.0, "GET", "/processes/*")),
        ("429*2", Fault("429", times=2)),
        ("429=5@* /contacts/**2+7", Fault("429", 5.0, "*", "/contacts/*", 2, 7)),
        ("import-failed", Fault("import-failed", None, "POST", "/contacts/import")),
        ("import-late=30s", Fault("import-late", None, "POST", "/contacts/import", word="30s")),
        ("late=2@POST /contacts", Fault("late", None, "POST", "/contacts", word="2")),
        (
            "import-ends=aborted*1",
            Fault("import-ends", None, "POST", "/contacts/import", times=1, word="aborted"),
        ),
    ],
)
def test_a_fault_is_read_as_it_is_written(spec, fault) -> None:
    assert Fault.parse(spec) == fault


def test_a_fault_meets_only_its_target_skips_and_counts_down(api, brevo) -> None:
    brevo.fault("500@GET /contacts/lists*2+1")

    codes = [api.get("/contacts/lists").status_code for _ in range(5)]

    assert api.get("/contacts").status_code == 200
    assert api.post("/contacts/lists", {}).status_code == 400
    assert codes == [200, 500, 500, 200, 200]


def test_faults_stay_until_they_are_cleared(api, brevo) -> None:
    brevo.fault("503")
    assert [api.get("/account").status_code for _ in range(3)] == [503] * 3

    brevo.clear_faults()
    assert api.get("/account").status_code == 200


def test_too_many_requests_says_when_to_come_back(api, brevo) -> None:
    brevo.fault("429=7*1")

    answer = api.get("/contacts")

    assert error(answer)[:2] == (429, "too_many_requests")
    assert answer.headers["x-sib-ratelimit-remaining"] == "0"
    assert answer.headers["x-sib-ratelimit-reset"] == "7"


def test_too_many_requests_can_come_bare(api, brevo) -> None:
    brevo.fault("429-bare*1")

    answer = api.get("/contacts")

    assert answer.status_code == 429
    assert not [name for name in answer.headers if "ratelimit" in name.lower()]


@pytest.mark.parametrize("kind", ["429", "429-bare", "500", "502", "503", "drop"])
def test_nothing_is_done_when_it_fails_before_the_work(api, brevo, kind) -> None:
    brevo.fault(f"{kind}*1")

    status = _create(api)

    assert status == (None if kind == "drop" else int(kind[:3]))
    assert brevo.contact("a@example.com") is None
    assert brevo.requests[-1] == ("POST", "/contacts", status or 0)


@pytest.mark.parametrize("kind", ["524", "drop-after", "truncated", "html"])
def test_the_work_is_done_when_it_fails_after_it(api, brevo, kind) -> None:
    brevo.fault(f"{kind}*1")

    status = _create(api)

    assert status == {"524": 524, "drop-after": None}.get(kind, 201)
    assert brevo.contact("a@example.com") is not None


def _create(api) -> int | None:
    try:
        return api.post("/contacts", person("a@example.com")).status_code
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize("kind", ["truncated", "html"])
def test_a_spoiled_body_is_no_json(api, brevo, kind) -> None:
    brevo.fault(f"{kind}@GET /account")

    answer = api.get("/account")

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_slow_answer_comes_late_and_another_fault_still_applies(api, brevo) -> None:
    brevo.fault("slow=0.2@GET /account*1")
    brevo.fault("502@GET /account*1")

    started = time.monotonic()
    answer = api.get("/account")

    assert time.monotonic() - started >= 0.2
    assert answer.status_code == 502


def test_a_failed_import_brings_nobody(api, brevo) -> None:
    list_id = api.make_list()
    brevo.fault("import-failed*1")

    process = api.import_(list_id, person("a@example.com"))

    assert process["status"] == "failed"
    assert "info" not in process
    assert brevo.members(list_id) == set()
    assert api.import_(list_id, person("a@example.com"))["status"] == "completed"


def test_a_partial_import_names_those_it_left_out(api, brevo) -> None:
    list_id = api.make_list()
    brevo.fault("import-partly=3*1")

    process = api.import_(list_id, *(person(f"p{number}@example.com") for number in range(1, 8)))

    assert process["status"] == "completed"
    assert api.csv(process, "invalid_emails") == ["p3@example.com;", "p6@example.com;"]
    assert brevo.members(list_id) == {f"p{number}@example.com" for number in (1, 2, 4, 5, 7)}


def test_a_revoked_key_stays_revoked(api, brevo) -> None:
    brevo.fault("key-revoked*1+1")

    codes = [api.get("/account").status_code for _ in range(4)]

    assert codes == [200, 401, 401, 401]
    assert error(api.get("/account")) == (401, "unauthorized", "Key not found")


def test_an_unknown_address_is_named_in_the_refusal(api, brevo) -> None:
    brevo.fault("unknown-ip*1")

    status, code, message = error(api.get("/account"))

    assert (status, code) == (401, "unauthorized")
    assert "unrecognised IP address" in message
    assert api.get("/account").status_code == 200


def test_a_list_can_vanish_just_before_a_call(api, brevo) -> None:
    one, two = api.make_list("One"), api.make_list("Two")
    brevo.fault("list-gone@POST /contacts/*")

    added = api.post(f"/contacts/lists/{one}/contacts/add", {"emails": ["a@example.com"]})
    body = {"listIds": [two], "jsonBody": [person("a@example.com")]}
    imported = api.post("/contacts/import", body)

    assert error(added)[:2] == (404, "document_not_found")
    assert error(imported)[:2] == (400, "invalid_parameter")
    assert brevo.lists() == {}


@pytest.mark.parametrize(
    ("kind", "statistics"),
    [
        ("contact-unsubscribed", "unsubscriptions"),
        ("contact-bounced", "hardBounces"),
        ("contact-gone", None),
    ],
)
def test_something_can_befall_a_contact_just_before_its_list_is_read(
    api, brevo, kind, statistics
) -> None:
    list_id = api.make_list()
    brevo.put_on_list(list_id, "a@example.com")
    contact_id = brevo.contact("a@example.com")["id"]
    brevo.fault(f"{kind}@GET /contacts/lists/*/contacts*1")

    read = api.get(f"/contacts/lists/{list_id}/contacts").json()
    shown = api.get(f"/contacts/{contact_id}", params={"identifierType": "contact_id"})

    if statistics is None:
        assert (read["count"], shown.status_code) == (0, 404)
    else:
        assert read["contacts"][0]["emailBlacklisted"] is True
        assert list(shown.json()["statistics"]) == [statistics]


def test_the_files_of_an_import_can_fail_too(api, brevo) -> None:
    process = api.import_(api.make_list(), person("broken"))
    link = process["info"]["import"]["invalid_emails"]
    brevo.fault("503@GET /files/**1")

    assert requests.get(link, timeout=5).status_code == 503
    assert requests.get(link, timeout=5).text == "EMAIL;SMS\nbroken;\n"
    assert requests.get(link.replace("invalid", "valid"), timeout=5).status_code == 404


LATE_KINDS = [
    ("import-late*1", 524),
    ("late-500@POST /contacts/import*1", 500),
    ("late-504*1", 504),
]


@pytest.mark.parametrize(("spec", "status"), LATE_KINDS)
def test_a_late_import_answers_with_an_error_and_happens_when_it_is_released(
    api, brevo, spec, status
) -> None:
    list_id = api.make_list()
    brevo.fault(spec)
    body = {"listIds": [list_id], "jsonBody": [person("a@example.com")]}

    answer = api.post("/contacts/import", body)

    assert answer.status_code == status
    assert api.get("/processes").json()["count"] == 0
    assert brevo.members(list_id) == set()
    brevo.release_late_imports()
    brevo.wait_for_imports()
    assert api.get("/processes").json()["count"] == 1
    assert brevo.members(list_id) == {"a@example.com"}


def test_a_late_import_happens_after_as_many_requests_as_its_fault_says(api, brevo) -> None:
    list_id = api.make_list()
    brevo.fault("import-late=2*1")
    api.post("/contacts/import", {"listIds": [list_id], "jsonBody": [person("a@example.com")]})

    api.get("/account")
    brevo.wait_for_imports()
    assert brevo.members(list_id) == set()
    api.get("/account")
    brevo.wait_for_imports()
    assert brevo.members(list_id) == {"a@example.com"}


def test_a_late_request_happens_after_as_many_seconds_as_its_fault_says(api, brevo) -> None:
    brevo.fault("late=0.2s@POST /contacts*1")

    answer = api.post("/contacts", person("a@example.com"))

    assert answer.status_code == 524
    until(lambda: brevo.contact("a@example.com") is not None)


def test_what_is_late_for_ever_is_forgotten_when_the_stand_in_stops() -> None:
    with Sandbox() as brevo:
        brevo.fault("late=600s")
        api = Api(brevo)
        assert api.post("/contacts", person("a@example.com")).status_code == 524
        api.session.close()


def test_a_stuck_import_stays_queued_and_holds_up_nobody(api, brevo) -> None:
    list_id = api.make_list()
    brevo.fault("import-stuck*1")

    stuck = api.import_(list_id, person("a@example.com"))
    behind = api.import_(list_id, person("b@example.com"))

    assert (stuck["status"], behind["status"]) == ("queued", "completed")
    assert brevo.members(list_id) == {"b@example.com"}
    brevo.release_stuck_imports()
    brevo.wait_for_imports()
    assert api.get(f"/processes/{stuck['id']}").json()["status"] == "completed"
    assert brevo.members(list_id) == {"a@example.com", "b@example.com"}


def test_a_stuck_import_goes_on_after_its_wait(api, brevo) -> None:
    brevo.fault("import-stuck=0.2s*1")

    process = api.import_(api.make_list(), person("a@example.com"))

    assert process["status"] == "queued"
    until(lambda: api.get(f"/processes/{process['id']}").json()["status"] == "completed")


@pytest.mark.parametrize("state", ["aborted", "error", "cancelled", "paused"])
def test_an_import_can_break_off_in_any_state(api, brevo, state) -> None:
    list_id = api.make_list()
    brevo.fault(f"import-ends={state}*1")

    process = api.import_(list_id, *(person(f"p{number}@example.com") for number in range(4)))

    assert process["status"] == state
    assert "info" not in process
    assert brevo.members(list_id) == {"p0@example.com", "p1@example.com"}


def test_an_import_can_be_completed_with_errors(api, brevo) -> None:
    list_id = api.make_list()
    brevo.fault("import-ends=completed_with_errors*1")

    process = api.import_(list_id, *(person(f"p{number}@example.com") for number in range(10)))

    assert process["status"] == "completed_with_errors"
    assert api.csv(process, "invalid_emails") == ["p9@example.com;"]
    assert len(brevo.members(list_id)) == 9


def test_faults_of_an_import_add_up(api, brevo) -> None:
    brevo.fault("import-partly=2*1")
    brevo.fault("import-ends=completed_at_last*1")

    process = api.import_(api.make_list(), person("a@example.com"), person("b@example.com"))

    assert process["status"] == "completed_at_last"
    assert api.csv(process, "invalid_emails") == ["b@example.com;"]


@pytest.mark.parametrize("since", [{}, {"modifiedSince": "2020-01-01T00:00:00Z"}])
def test_reads_of_a_list_can_lag_behind_an_import(api, brevo, since) -> None:
    list_id = api.make_list()
    api.import_(list_id, *(person(f"p{number}@example.com") for number in range(3)))
    brevo.fault("list-lags=2*1")
    api.import_(list_id, *(person(f"p{number}@example.com") for number in range(6)))
    path = f"/contacts/lists/{list_id}"

    def read(offset: int) -> list[str]:
        page = api.get(f"{path}/contacts", limit=2, offset=offset, sort="asc", **since).json()
        return [contact["email"] for contact in page["contacts"]]

    assert read(0) + read(2) + read(4) == [f"p{number}@example.com" for number in range(3)]
    assert api.get(path).json()["uniqueSubscribers"] == 3
    assert read(0) + read(2) + read(4) == [f"p{number}@example.com" for number in range(6)]
    assert api.get(path).json()["uniqueSubscribers"] == 6


def test_reads_of_a_list_can_lag_for_seconds(api, brevo) -> None:
    list_id = api.make_list()
    brevo.fault("list-lags=0.3s*1")
    api.import_(list_id, person("a@example.com"))

    until(lambda: api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 1)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("fault", "message"),
    [("list-404*2", "List ID does not exist"), ("no-contact@* /*/lists/**2", "Contact does not")],
)
def test_a_list_or_a_contact_can_be_said_not_to_exist(api, brevo, fault, message) -> None:
    list_id = api.make_list("Lagos")
    api.import_(list_id, person("a@example.com"))
    brevo.fault(fault)
    path = f"/contacts/lists/{list_id}"

    for answer in (
        api.get(path),
        api.post(f"{path}/contacts/remove", {"emails": ["a@example.com"]}),
    ):
        status, code, told = error(answer)
        assert (status, code, told.startswith(message)) == (404, "document_not_found", True)

    assert api.get(path).status_code == 200
    assert brevo.members(list_id) == {"a@example.com"}
    assert api.get("/contacts/lists").json()["count"] == 1


def test_the_id_of_a_list_can_be_given_to_another(api, brevo) -> None:
    list_id = api.make_list("Lagos")
    before = api.get(f"/contacts/lists/{list_id}").json()
    brevo.fault("list-replaced*1")

    shown = api.get(f"/contacts/lists/{list_id}").json()

    assert (shown["id"], shown["name"]) == (list_id, "Board members only")
    assert shown["folderId"] != before["folderId"]
    assert brevo.members(list_id) == {"board@example.org"}


def test_lists_among_others_can_be_without_counters(api, brevo) -> None:
    folder_id = api.make_folder()
    list_id = api.make_list("Lagos", folder_id)
    api.import_(list_id, person("a@example.com"))
    brevo.fault("uncounted")

    for path in ("/contacts/lists", f"/contacts/folders/{folder_id}/lists"):
        assert api.get(path).json()["lists"][0]["uniqueSubscribers"] == 0
    assert api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 1
