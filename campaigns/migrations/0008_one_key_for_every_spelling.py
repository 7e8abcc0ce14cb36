"""What is known of addresses and names follows their new keys.

Whoever is on a list under an old spelling stays in the ledger under it, so that the next sync
takes that spelling off the list and puts the new one on. Where one of two people who have the same
address now said no, the address is suppressed.
"""

from collections.abc import Iterator
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import accounts.derived
from accounts.refolding import DUPLICATES, marked, refold, refold_unique, unmark, unusual
from accounts.text import fold, fold_email

BOUNCED, UNSUBSCRIBED, OPTED_OUT = "BOUNCED", "UNSUBSCRIBED", "OPTED_OUT"
SAID_NO = (UNSUBSCRIBED, "COMPLAINED", "BY_HAND")
NOTE = "Somebody with this address in another spelling said no."


def forwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    suppressions = rows(apps, "campaigns", "Suppression")
    refold_unique(suppressions, "email", "email", fold_email, "suppression", vendor)
    strengthen(suppressions)
    suppress_shared(rows(apps, "accounts", "User"), suppressions)
    ended = rows(apps, "campaigns", "ListMember").filter(removed_at__isnull=False)
    refold(ended, {"email": ("email", fold_email)}, vendor)
    segments = rows(apps, "campaigns", "Segment")
    refold_unique(segments, "name_key", "name", fold, "segment", vendor)


def backwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    suppressions, segments = (rows(apps, "campaigns", name) for name in ("Suppression", "Segment"))
    unmark(suppressions, "email")
    for people in unusual(rows(apps, "accounts", "User"), ["email"], vendor):
        for person in people:
            was = person.email.strip().lower()
            if not suppressions.filter(email=was).exists():
                suppressions.filter(email=fold_email(person.email)).update(email=was)
    unmark(segments, "name")
    refold(segments, {"name_key": ("name", lambda text: " ".join(text.split()).casefold())}, vendor)


def rows(apps: Apps, app: str, model: str) -> Any:
    return apps.get_model(app, model).objects.order_by()


def pairs(found: Any) -> Iterator[tuple[Any, int]]:
    """Yield each row whose address bears a mark, with the id of the row it duplicates."""
    for row in found.filter(email__contains=DUPLICATES):
        if ids := marked(row.email):
            yield row, ids[1]


def strengthen(suppressions: Any) -> None:
    """Let what stands for an address be as strong as all that was said of its spellings."""
    for row, first in pairs(suppressions.filter(reason__in=SAID_NO)):
        replace_bounce(suppressions.filter(pk=first), row.reason)


def replace_bounce(found: Any, reason: str) -> None:
    """Put a reason that follows the person before a bounce, which stays among the other causes."""
    for row in found.filter(reason=BOUNCED):
        cause = {"source": row.source, "note": row.note, "by": row.created_by_id}
        cause |= {"reason": BOUNCED, "at": row.created_at.isoformat()}
        found.update(reason=reason, other_causes=[*row.other_causes, cause])


def suppress_shared(people: Any, suppressions: Any) -> None:
    for person, first in pairs(people):
        both = (person.pk, first)
        said = suppressions.filter(user__in=both).exclude(reason=BOUNCED)
        opted_out = people.filter(pk__in=both, marketing_consent=OPTED_OUT)
        who = [*said.values_list("user_id", "reason")[:1]]
        who += [(pk, UNSUBSCRIBED) for pk in opted_out.values_list("pk", flat=True)[:1]]
        if who:
            email = people.get(pk=first).email_key
            new = {"user_id": who[0][0], "reason": who[0][1], "note": NOTE}
            suppressions.get_or_create(email=email, defaults=new)
            replace_bounce(suppressions.filter(email=email), who[0][1])


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0005_one_key_for_every_spelling"),
        ("campaigns", "0007_causes_of_suppressions"),
    ]

    operations = [
        migrations.AlterField(
            model_name='segment',
            name='name_key',
            field=accounts.derived.DerivedCharField(derive=fold, editable=False, error_messages={'unique': 'A segment with this name exists already: choose another name.'}, max_length=450, source='name', unique=True),
        ),
        migrations.RunPython(forwards, backwards),
    ]
