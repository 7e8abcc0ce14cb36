"""Reading a page as a browser does."""

from html.parser import HTMLParser
from typing import Any


class _Form(HTMLParser):
    """Collects what the page's forms with method=post would send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._select: str | None = None
        self._text: str | None = None
        self._in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        name, kind = given.get("name"), given.get("type", "text")
        if tag == "form":
            self._in_form = given.get("id", "").endswith("_form")
        elif not self._in_form:
            return
        elif tag == "input" and name and kind not in {"submit", "button", "file"}:
            if kind not in {"checkbox", "radio"} or "checked" in given:
                self._add(name, given.get("value", "on" if kind == "checkbox" else ""))
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, given.get("value", ""))
        elif tag == "textarea" and name:
            self._text = name
            self._add(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._text = None
        elif tag == "form":
            self._in_form = False

    def handle_data(self, data: str) -> None:
        if self._text:
            self.sent[self._text][-1] = data.removeprefix("\n")

    def _add(self, name: str, value: str | None) -> None:
        self.sent.setdefault(name, []).append(value or "")


def form_of(response: Any) -> dict[str, list[str]]:
    """Return what the browser would send if the form of this admin page were saved as it is."""
    form = _Form()
    form.feed(response.content.decode())
    form.sent.pop("csrfmiddlewaretoken", None)
    return form.sent
