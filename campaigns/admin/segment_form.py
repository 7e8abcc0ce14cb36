"""The form of a segment."""

import json
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.admin_versions import VersionedForm
from campaigns.admin.segment_options import chosen, offered_at_once
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.definition import validate
from campaigns.audience.explain import sentence
from campaigns.audience.parsing import parse
from campaigns.brevo import BrevoError
from campaigns.enums import Match
from campaigns.errors import CampaignsError
from campaigns.models import Segment
from campaigns.models.flat import FLAT_NAMES, no_conditions

if TYPE_CHECKING:
    from django.forms import ModelForm, SelectMultiple

    SegmentModelForm = ModelForm[Segment]
else:
    from django.forms import ModelForm as SegmentModelForm
    from unfold.widgets import UnfoldAdminSelect2MultipleWidget as SelectMultiple


class CriterionSelect(SelectMultiple):
    """A plain multiple select that ``segment_form.js`` makes searchable.

    Unfold's own script would offer the options of the page alone: hence another class for it.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.attrs |= {"class": "criterion-select", "data-criterion": key, "size": 6}
        self.key = key

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        if CRITERIA[self.key].choices() is None:
            url = reverse("admin:campaigns_segment_options", args=[self.key])
            attrs = {**(attrs or {}), "data-url": url}
        return super().get_context(name, value, attrs)


class DefinitionWidget(forms.Widget):
    """A searchable list for each flat name, and unseen beside them whatever else is defined."""

    template_name = "admin/campaigns/segment/definition.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, Any]:  # noqa: ARG002 -- Django's hook
        return posted_definition(data)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:  # noqa: ARG002 -- Django's hook
        return False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        shown = Segment(definition=value or no_conditions())
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "json": json.dumps(shown.definition),
            "match": (shown.match, Match.choices),
            "criteria": [(CRITERIA[key], _select(key, getattr(shown, key))) for key in FLAT_NAMES],
        }
        return context


def _select(key: str, values: Any) -> SafeString:
    """Return the list of a criterion: these values, first, and others to choose from."""
    widget = CriterionSelect(key)
    options = {str(value): label for value, label in offered_at_once(key)}
    raw = values if isinstance(values, list) else []
    own = {str(value): label for value, label in chosen(key, raw)}
    rest = {value: label for value, label in options.items() if value not in own}
    widget.choices = [*own.items(), *rest.items()]
    return widget.render(key, list(own), {"id": f"id_{key}"})


def posted_definition(data: Any) -> dict[str, Any]:
    """Return the definition that a posted form describes, understood or not.

    Lists under the flat names replace the ``any_of`` conditions at its top.
    """
    try:
        base = json.loads(data.get("definition") or "null")
    except ValueError:
        base = None
    posted = Segment(definition=base if isinstance(base, dict) else no_conditions())
    if not any(name in data for name in ("match", *FLAT_NAMES)):
        return cast("dict[str, Any]", posted.definition)
    for key in FLAT_NAMES:
        values = data.getlist(key) if hasattr(data, "getlist") else data.get(key, [])
        setattr(posted, key, [value for value in values if value != ""])
    posted.match = data.get("match", posted.match)
    return cast("dict[str, Any]", posted.definition)


class DefinitionField(forms.Field):
    """The definition, as ``Segment.definition`` holds it; what is wrong is said by ``validate``."""

    widget = DefinitionWidget

    def __init__(self) -> None:
        super().__init__(required=False, label="Definition")

    def has_changed(self, initial: Any, data: Any) -> bool:
        was, now = (parse(raw or no_conditions()) for raw in (initial, data))
        return bool(now.mistakes) or was.group.as_json() != now.group.as_json()


class SegmentForm(VersionedForm, SegmentModelForm):
    """Holds what was typed until both our rules and Brevo have accepted it."""

    refusal: BrevoError | CampaignsError | None = None
    definition = DefinitionField()

    class Meta:
        model = Segment
        fields = ("name", "description", "definition")

    def in_words(self, name: str, value: Any) -> str:
        return sentence(value) if name == "definition" else super().in_words(name, value)

    def _post_clean(self) -> None:
        """Say by field what the audience's own rules refuse, then what Brevo refused."""
        super()._post_clean()  # type: ignore[misc] # Django's hook, unknown to its stubs
        try:
            validate(self.instance)
        except ValidationError as error:
            for field, errors in error.error_dict.items():
                place = field if field in {"name", "description"} else "definition"
                if place not in self.errors or place == "definition":
                    self.add_error(place, errors)
        if self.refusal is not None:
            self.add_error(None, ValidationError(words_of(self.refusal), code="brevo"))


def words_of(error: BrevoError | CampaignsError) -> list[str]:
    """Return our words, Brevo's own word for word, and the remedy, each as a line."""
    if isinstance(error, CampaignsError):
        return ["Nothing was saved.", str(error)]
    told = [f"Nothing was saved. {error.summary.rstrip('.')}."]
    if error.brevo_message:
        told.append(f"Brevo says: “{error.brevo_message}”")
    if error.remedy:
        told.append(f"{error.remedy.rstrip('.')}.")
    return told
