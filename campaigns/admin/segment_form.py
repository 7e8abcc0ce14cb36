"""The form of a segment."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError

from accounts.admin_versions import VersionedForm
from campaigns.admin.segment_builder import posted_definition
from campaigns.admin.segment_builder_page import builder_of
from campaigns.audience.definition import validate
from campaigns.audience.explain import sentence
from campaigns.audience.parsing import parse
from campaigns.brevo import BrevoError
from campaigns.errors import CampaignsError
from campaigns.models import Segment
from campaigns.models.flat import no_conditions

if TYPE_CHECKING:
    from django.forms import ModelForm

    SegmentModelForm = ModelForm[Segment]
else:
    from django.forms import ModelForm as SegmentModelForm


class DefinitionWidget(forms.Widget):
    """Rows of conditions and groups: see ``segment_builder``.

    ``base`` is what a form without rows changes a part of; ``shows`` goes to ``builder_of``.
    """

    template_name = "admin/campaigns/segment/builder.html"
    base: Any = None
    shows: Mapping[str, Any] = MappingProxyType({})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:  # noqa: ARG002 -- Django's hook
        return posted_definition(data, self.base)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:  # noqa: ARG002 -- Django's hook
        return False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, value, attrs) | {
            "builder": builder_of(value, **self.shows)
        }


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
    shows: Mapping[str, Any] | None = None  # of a form whose rows a button has changed
    typed: Mapping[str, Any] | None = None  # what stood in such a form
    definition = DefinitionField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(self.typed or {})
        if "definition" in self.fields:
            widget = cast("DefinitionWidget", self.fields["definition"].widget)
            widget.base = self.instance.definition
            widget.shows = self.shows or {"is_complete": self.is_bound}

    class Meta:
        model = Segment
        fields = ("name", "description", "definition")

    def expecting(self) -> dict[str, Any]:
        """Return what must still be stored, of the columns that this form changes."""
        segment: Segment = self.instance
        return segment.values_read(segment.changed_columns())

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
