from typing import Any

from django.db import migrations, models

_DELETION = 3  # in the history of the admin
_LONGEST = 310
_MANY = 1000
_KINDS = {
    "properties": ("properties", "property"),
    "agents": ("accounts", "user"),
    "partners": ("accounts", "user"),
}


def remember(apps: Any, schema_editor: Any) -> None:
    """Write down what the rows are called that segments name, and what deleted ones were called."""
    named: dict[str, set[int]] = {"property": set(), "user": set()}
    for lists in apps.get_model("campaigns", "Segment").objects.values(*_KINDS):
        for key, ids in lists.items():
            found = ids if isinstance(ids, list) else []
            named[_KINDS[key][1]].update(pk for pk in found if type(pk) is int)
    for app, kind in set(_KINDS.values()):
        wanted = sorted(named[kind])
        for start in range(0, len(wanted), _MANY):
            _remember(apps, app, kind, wanted[start : start + _MANY])


def _remember(apps: Any, app: str, kind: str, ids: list[int]) -> None:
    names = _of_deleted(apps, app, kind, ids)
    for row in apps.get_model(app, kind).objects.filter(pk__in=ids):
        full = row.name if kind == "property" else f"{row.first_name} {row.last_name}".strip()
        names[row.pk] = full or row.email
    known = apps.get_model("campaigns", "KnownName")
    known.objects.bulk_create(
        known(kind=kind, object_id=pk, name=name[:_LONGEST]) for pk, name in names.items()
    )


def _of_deleted(apps: Any, app: str, kind: str, ids: list[int]) -> dict[int, str]:
    entries = apps.get_model("admin", "LogEntry").objects.filter(
        content_type__app_label=app,
        content_type__model=kind,
        action_flag=_DELETION,
        object_id__in=[str(pk) for pk in ids],
    )
    return {int(pk): name for pk, name in entries.values_list("object_id", "object_repr") if name}


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_one_key_for_every_spelling"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("campaigns", "0012_what_was_left_out"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("properties", "0002_spoken_names"),
    ]

    operations = [
        migrations.CreateModel(
            name="KnownName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(help_text="“property” or “user”", max_length=20)),
                ("object_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=310)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "object_id"), name="known_name_of_a_row"
                    )
                ],
            },
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
