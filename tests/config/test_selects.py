import re

from django.forms import Select
from unfold.widgets import UnfoldAdminSelectWidget

CHOICES = [("", "—"), ("a&b", "A & “B”"), ("Others", [(3, "Three"), (None, "None")])]


def offered(html: str) -> list[str]:
    return re.findall(r"<option.*?</option>|<optgroup.*?>", html)


def test_select_of_the_theme_offers_what_django_itself_would() -> None:
    plain = Select(choices=CHOICES).render("field", "a&b")
    themed = UnfoldAdminSelectWidget(choices=CHOICES).render("field", "a&b")

    assert offered(themed) == offered(plain)
    assert len(offered(themed)) == 5
    assert '<option value="a&amp;b" selected>' in themed
