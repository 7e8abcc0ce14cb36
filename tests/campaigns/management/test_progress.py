import io

import pytest
from django.core.management.base import OutputWrapper
from django.core.management.color import color_style

from campaigns.management.counting import counting
from campaigns.management.progress import Watcher


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def stream(terminal) -> OutputWrapper:
    """What a command knows as its stderr."""
    wrapper = OutputWrapper(terminal)
    wrapper.style_func = color_style(force_color=True).ERROR
    return wrapper


def test_bar_of_a_run_is_redrawn_in_place_and_without_alarm(terminal, stream) -> None:
    watcher = Watcher(stream)

    watcher.start("Women")
    watcher("Sending", 3, 12)
    watcher("Verifying", 12, 12)
    watcher.stop()

    drawn = terminal.getvalue()
    assert "Women:  25%" in drawn
    assert "12/12" in drawn
    assert "Verifying" in drawn
    assert "\n" not in drawn
    assert "\x1b[31" not in drawn
    assert drawn.rsplit("\r", 2)[1].strip() == ""


def test_bar_of_a_count_is_redrawn_in_place(terminal, stream) -> None:
    with counting(stream, "rows", total=10) as tell:
        tell(10)

    assert "0/10" in terminal.getvalue()
    assert "\n" not in terminal.getvalue()


def test_elsewhere_each_phase_is_a_line() -> None:
    out = io.StringIO()
    watcher = Watcher(OutputWrapper(out))

    watcher.start("Women")
    for done in (0, 6, 12):
        watcher("Sending", done, 12)
    watcher.stop()

    assert out.getvalue() == "Women: sending (0 of 12)\n"


def test_who_wants_json_is_told_nothing(terminal, stream) -> None:
    watcher = Watcher(stream, silent=True)

    watcher.start("Women")
    watcher("Sending", 3, 12)
    watcher.stop()

    assert terminal.getvalue() == ""
