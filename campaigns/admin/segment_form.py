"""The form of a segment: one searchable list for each criterion there is."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.urls import reverse

from accounts.admin_versions import VersionedForm
from campaigns.admin.segment_options import chosen, offered_at_once
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.definition import validate
from campaigns.audience.revisions import labels_of
from campaigns.brevo import BrevoError
from campaigns.enums import Match
from campaigns.errors import CampaignsError
from campaigns.models import Segment

if TYPE_CHECKING:
    from django.forms import ModelForm, RadioSelect, SelectMultiple

    SegmentModelForm = ModelForm[Segment]
else:
    from django.forms import ModelForm as SegmentModelForm
    from unfold.widgets import UnfoldAdminRadioSelectWidget as RadioSelect
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
        if CRITERIA[self.key].kind in {"object", "text"}:
            url = reverse("admin:campaigns_segment_options", args=[self.key])
            attrs = {**(attrs or {}), "data-url": url}
        return super().get_context(name, value, attrs)


class CriterionField(forms.Field):
    """The values of one criterion."""

    def __init__(self, key: str) -> None:
        criterion = CRITERIA[key]
        super().__init__(
            required=False,
            label=criterion.label,
            help_text=criterion.help,
            widget=CriterionSelect(key),
        )
        self.key = key

    def show(self, values: Iterable[Any]) -> None:
        """Offer these values, first, and others to choose from."""
        options = {str(value): label for value, label in offered_at_once(self.key)}
        own = {str(value): label for value, label in chosen(self.key, values)}
        rest = {value: label for value, label in options.items() if value not in own}
        self.widget.choices = [*own.items(), *rest.items()]

    def clean(self, value: Any) -> list[Any]:
        return CRITERIA[self.key].clean(value or [])

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [str(value) for value in initial or []] != list(data or [])


class SegmentForm(VersionedForm, SegmentModelForm):
    """Holds what was typed until both our rules and Brevo have accepted it."""

    refusal: BrevoError | CampaignsError | None = None

    class Meta:
        model = Segment
        fields = ("name", "description", "match")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key in CRITERIA:
            field = self.fields.get(key)
            if isinstance(field, CriterionField):
                field.show(self._values(key))

    def _values(self, key: str) -> list[Any]:
        if self.is_bound and hasattr(self.data, "getlist"):
            return list(self.data.getlist(self.add_prefix(key)))
        return list(self.initial.get(key) or getattr(self.instance, key))

    def in_words(self, name: str, value: Any) -> str:
        if name not in CRITERIA or not value:
            return super().in_words(name, value)
        return ", ".join(labels_of(name, value).values())

    def show_again(self, name: str, value: Any) -> None:
        super().show_again(name, value)
        field = self.fields[name]
        if isinstance(field, CriterionField):
            field.show(value)

    def _post_clean(self) -> None:
        """Say by field what the audience's own rules refuse, then what Brevo refused."""
        super()._post_clean()  # type: ignore[misc] # Django's hook, unknown to its stubs
        try:
            validate(self.instance)
        except ValidationError as error:
            for field, errors in error.error_dict.items():
                # Nothing is asked yet only because what was asked could not be understood.
                known = self.errors.keys() & ({field} if field in self.fields else CRITERIA.keys())
                if not known:
                    self.add_error(None if field == NON_FIELD_ERRORS else field, errors)
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


def match_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=[(value, f"Match {label}") for value, label in Match.choices],
        initial=Match.ALL,
        label="Customers must",
        help_text="Inside one criterion, any of its values is enough.",
        widget=RadioSelect(),
    )
