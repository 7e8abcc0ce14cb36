import csv
import io

import pytest

from campaigns.admin.sync_lines import PAGE
from campaigns.enums import ChangeKind, ExportStatus, Outcome
from campaigns.models import ExportChange, SegmentExport
from tests.campaigns.admin.sync_steps import make_export, page_of, text
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def make_lines(export: SegmentExport, number: int, **fields) -> None:
    given = {"kind": ChangeKind.JOIN, "outcome": Outcome.DONE}
    ExportChange.objects.bulk_create(
        ExportChange(**({"export": export, "email": f"p{i:03}@example.com"} | given | fields))
        for i in range(number)
    )


def shown(response) -> list[str]:
    return [line.email for line in response.context["page"].lines]


def test_line_of_a_deleted_person_is_still_there(client, manager) -> None:
    export, person = make_export(), make_user(email="gone@example.com")
    make_lines(export, 1, email="gone@example.com", user_id=person.pk)
    person.delete()

    page = text(client.get(page_of(export)))

    assert "gone@example.com" in page
    assert "deleted person" in page


@pytest.mark.parametrize("number", [1, 40])
def test_page_costs_the_same_for_one_person_and_for_forty(
    client, manager, django_assert_max_num_queries, number
) -> None:
    export = make_export(definition={"match": "ALL", "gender": ["FEMALE"]})
    for _ in range(number):
        person = make_user(first_name="Ada")
        make_lines(export, 1, email=person.email, user_id=person.pk)

    with django_assert_max_num_queries(8):
        assert len(shown(client.get(page_of(export)))) == number


def test_people_are_found_by_address_and_by_name(client, manager) -> None:
    export = make_export()
    ada = make_user(first_name="Ada", last_name="Lovelace", email="countess@example.com")
    make_lines(export, 1, email=ada.email, user_id=ada.pk)
    make_lines(export, 3)

    for words in ("COUNTESS", "ada love", "lovelace ada"):
        assert shown(client.get(page_of(export), {"q": words})) == [ada.email]
    assert shown(client.get(page_of(export), {"q": "ada nobody"})) == []


def test_people_are_filtered_by_kind_and_outcome(client, manager) -> None:
    export = make_export()
    make_lines(export, 1, email="joins@example.com")
    make_lines(export, 1, email="leaves@example.com", kind=ChangeKind.LEAVE)
    make_lines(export, 1, email="refused@example.com", outcome=Outcome.REFUSED)

    asked = client.get(page_of(export), {"kind": "LEAVE"})
    assert shown(asked) == ["leaves@example.com"]
    assert 'aria-current="true"' in text(asked)
    assert shown(client.get(page_of(export), {"outcome": "REFUSED"})) == ["refused@example.com"]
    assert shown(client.get(page_of(export), {"kind": "X", "outcome": "Y"})) == []


def test_nobody_fitting_says_what_to_do(client, manager) -> None:
    export = make_export()
    make_lines(export, 1)

    assert "Nobody fits" in text(client.get(page_of(export), {"q": "xyz"}))


def test_paging_forth_and_back_shows_everybody_once_across_kinds(client, manager) -> None:
    export = make_export()
    make_lines(export, PAGE - 10, kind=ChangeKind.LEAVE)
    make_lines(export, PAGE + 20, kind=ChangeKind.JOIN)
    make_lines(export, 5, kind=ChangeKind.HELD_BACK)
    pages, address = [], "?"
    while address:
        response = client.get(page_of(export) + address)
        pages.append([line.pk for line in response.context["page"].lines])
        address, last = response.context["page"].next, address

    seen = [pk for page in pages for pk in page]
    assert [len(page) for page in pages] == [PAGE, PAGE, 15]
    assert len(set(seen)) == 2 * PAGE + 15
    back = client.get(page_of(export) + last).context["page"].previous
    response = client.get(page_of(export) + back)
    assert [line.pk for line in response.context["page"].lines] == pages[1]
    first = client.get(page_of(export) + response.context["page"].previous)
    assert [line.pk for line in first.context["page"].lines] == pages[0]
    assert first.context["page"].previous == ""


@pytest.mark.parametrize("cursor", ["nonsense", "JOIN-", "JOIN-x", "X-1", "JOIN-" + "9" * 40])
def test_cursor_that_makes_no_sense_shows_the_first_page(client, manager, cursor) -> None:
    export = make_export()
    make_lines(export, 2)

    assert len(shown(client.get(page_of(export), {"after": cursor}))) == 2


def test_page_of_a_plan_shows_no_outcome(client, manager) -> None:
    export = make_export(status=ExportStatus.PLANNED)
    make_lines(export, 1, outcome=Outcome.PENDING)

    page = text(client.get(page_of(export)))

    assert "Who is in the plan" in page
    assert "Not attempted yet" not in page


# CSV


def rows(response) -> list[list[str]]:
    told = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(told)))


def test_csv_holds_everybody_that_the_page_would_show(client, manager) -> None:
    export = make_export()
    make_lines(export, PAGE + 7)
    make_lines(export, 1, email="leaves@example.com", kind=ChangeKind.LEAVE)

    response = client.get(page_of(export, "csv"), {"kind": "JOIN"})

    header, *lines = rows(response)
    assert header[0] == "e-mail"
    assert len(lines) == PAGE + 7
    assert response["Content-Disposition"] == f'attachment; filename="export-{export.pk}.csv"'


def test_csv_is_no_formula_for_a_spreadsheet(client, manager) -> None:
    export = make_export()
    person = make_user(first_name="=HYPERLINK(1)", last_name="@SUM(A1)")
    make_lines(export, 1, user_id=person.pk, message="+1")

    [_, line] = rows(client.get(page_of(export, "csv")))

    assert line[1:3] == ["'=HYPERLINK(1)", "'@SUM(A1)"]
    assert line[-1] == "'+1"
