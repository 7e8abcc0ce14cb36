"""Segments are found and sorted alike on every database."""

import accounts.derived
import accounts.text
from django.db import migrations
from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.refolding import refold
from accounts.text import fold_unusual

def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    segments = apps.get_model("campaigns", "Segment").objects.order_by()
    texts = {"description_folded": ("description", fold_unusual)}
    refold(segments, texts, schema_editor.connection.vendor)


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0015_members_elsewhere'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='segment',
            options={'ordering': ['name_key', 'id'], 'permissions': [('sync_segment', "Can sync a segment's Brevo list"), ('approve_plan', 'Can approve a plan that waits')]},
        ),
        migrations.AddField(
            model_name='segment',
            name='description_folded',
            field=accounts.derived.DerivedTextField(blank=True, default='', derive=accounts.text.fold_unusual, editable=False, source='description'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
