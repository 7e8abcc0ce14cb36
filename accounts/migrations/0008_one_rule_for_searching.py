"""Names with letters beyond ASCII are found alike on every database; countries are in capitals."""

import accounts.countries
import accounts.derived
import accounts.text
from django.db import migrations
from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Upper

from accounts.refolding import refold
from accounts.text import fold_unusual

def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    people = apps.get_model("accounts", "User").objects.order_by()
    names = {f"{name}_folded": (name, fold_unusual) for name in ("first_name", "last_name")}
    refold(people, names, schema_editor.connection.vendor)
    people.filter(country__regex="[a-z]").update(country=Upper("country"))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_log_in_counts'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='first_name_folded',
            field=accounts.derived.DerivedCharField(blank=True, default='', derive=accounts.text.fold_unusual, editable=False, max_length=450, source='first_name'),
        ),
        migrations.AddField(
            model_name='user',
            name='last_name_folded',
            field=accounts.derived.DerivedCharField(blank=True, default='', derive=accounts.text.fold_unusual, editable=False, max_length=450, source='last_name'),
        ),
        migrations.AlterField(
            model_name='user',
            name='country',
            field=accounts.countries.CountryField(blank=True, choices=accounts.countries.country_choices, max_length=2),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
