"""Two people save the same thing at once: one row, and the second learns of the first."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from accounts.unfolded import ModelAdmin

_REFUSED = (
    "Nothing was saved: somebody else changed the same thing at this moment. Look at it, then try "
    "again."
)


class SavesOnce(ModelAdmin):
    """Turns what the database refuses into what the form refuses, with a link to the other row."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form, or save it; a row that came in between is found by the form's checks."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            try:
                return super().changeform_view(request, object_id, form_url, extra_context)
            except IntegrityError:
                messages.error(request, _REFUSED)
                return HttpResponseRedirect(request.get_full_path())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        other = existing_row(context["adminform"].form)
        if other is not None and self.has_view_or_change_permission(request, other):
            page = reverse(
                f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[other.pk]
            )
            words = "“{}” exists already: <a href='{}' class='underline'>open it</a>."
            messages.warning(request, format_html(words, str(other), page))
        return super().render_change_form(request, context, *args, **kwargs)


def existing_row(form: Any) -> Any:
    """Return the other row with the value for which the form was refused, or None."""
    codes = [error.code for errors in form.errors.as_data().values() for error in errors]
    if not form.is_bound or "unique" not in codes:
        return None
    model, instance = type(form.instance), form.instance
    for field in model._meta.fields:
        value = getattr(instance, field.attname)
        if field.unique and not field.primary_key and value not in (None, ""):
            others = model._base_manager.exclude(pk=instance.pk)
            if (other := others.filter(**{field.attname: value}).first()) is not None:
                return other
    return None
