"""What the pages say is what the project does."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from campaigns.audience.criteria import CRITERIA
from tests.campaigns.sync.test_faults import FAULTS

ROOT = Path(settings.BASE_DIR)
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROOMS = ("config", "accounts", "properties", "campaigns", "sandbox", "benchmarks", "tests", "docs")
LARGEST_PICTURE = 200_000  # bytes

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def rows(text: str, width: int) -> list[list[str]]:
    """Return the cells of every table row of that width."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line] for line in lines if len(line) == width]


def variables() -> dict[str, str]:
    """Return {variable: default as one writes it} of all that config/settings.py reads."""
    tree = ast.parse((ROOT / "config" / "settings.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    read: dict[str, str] = {}
    for call in calls:
        function = call.func
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
            continue
        if function.value.id != "env" or function.attr in {"load", "database"}:
            continue
        name, *others = (ast.literal_eval(argument) for argument in call.args)
        named = {word.arg: word.value for word in call.keywords}
        default = ast.literal_eval(named["default"]) if "default" in named else None
        read[name] = str(others[0] if others else "" if default is None else default)
        if function.attr == "secret":
            read[f"{name}_FILE"] = ""
    return read


def our_commands() -> list[str]:
    ours = {"accounts", "properties", "campaigns", "sandbox"}
    return sorted(name for name, app in get_commands().items() if app in ours)


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_readme_has_every_variable_with_its_default() -> None:
    told = {cells[0].strip("`"): cells[2] for cells in rows(README, 3) if cells[0][1:2].isupper()}
    defaults = {
        name: re.split(r"[`;]", default.removeprefix("`"))[0].strip()
        for name, default in told.items()
    }

    assert defaults == {name: default or "none" for name, default in variables().items()}


def test_example_of_the_environment_has_every_variable_with_its_default() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    told = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", example, re.MULTILINE))

    assert told == variables()
    assert not re.findall(r"^[^#\n]", example, re.MULTILINE), "a copy of it changes nothing"


@pytest.mark.parametrize("key", CRITERIA)
def test_readme_has_every_criterion(key) -> None:
    assert [cells for cells in rows(README, 2) if cells[0] == f"`{key}`"]


def test_readme_has_every_command_and_no_other() -> None:
    table = README.split("## Commands")[1].split("\n## ")[0]
    told = {
        word.split()[0] for cells in rows(table, 3) for word in re.findall(r"`(.+?)`", cells[0])
    }

    assert sorted(told) == our_commands()


@each_page
def test_links_and_pictures_lead_somewhere(page) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"


@each_page
def test_paths_that_a_page_names_exist(page) -> None:
    text = page.read_text(encoding="utf-8")
    for path in re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w./]*)`", text):
        assert (ROOT / path).exists(), f"{page.name} names {path}"


@each_page
def test_make_targets_that_a_page_names_exist(page) -> None:
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(named) <= make_targets()


@each_page
def test_commands_that_a_page_names_exist(page) -> None:
    named = re.findall(r"manage\.py ([a-z]+_[a-z_]+)", page.read_text(encoding="utf-8"))

    assert set(named) <= {*get_commands()}


def test_pictures_are_small_and_all_of_them_are_shown() -> None:
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert pictures
    for picture in pictures:
        assert picture.stat().st_size <= LARGEST_PICTURE, picture.name
        assert f"images/{picture.name}" in text


def test_fault_table_is_that_of_the_tests() -> None:
    brevo = (ROOT / "docs" / "brevo.md").read_text(encoding="utf-8")
    table = brevo.split("## When something goes wrong")[1].split("\n## ")[0]

    told = [(fault.strip("`"), status, words) for fault, status, words in rows(table, 3)[2:]]

    assert [(fault, status) for fault, status, _ in told] == [
        (fault, status.value) for fault, status, _ in FAULTS
    ]
    for (fault, _, words), (_, _, shown) in zip(told, FAULTS, strict=True):
        assert shown in words if shown else words.startswith("nothing: "), fault


def test_no_file_holds_the_address_of_a_registry_or_of_a_machine() -> None:
    registry = re.compile(r"py(?:pi)\.org|python(?:hosted)\.org")
    machine = re.compile(r"(?<![\w./*:}])/(?:home|Users|root|work)/[\w.]")
    files = [*PAGES, ROOT / ".env.example", ROOT / "Makefile", *(ROOT / "requirements").iterdir()]
    files += [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not registry.search(text), f"{path}: {registry.search(text)}"
        assert not machine.search(text), f"{path}: {machine.search(text)}"
