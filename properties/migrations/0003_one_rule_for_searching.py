"""Properties are found and sorted alike on every database; countries are in capitals."""

import accounts.countries
import accounts.derived
import accounts.text
from django.db import migrations
from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.text import fold

def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    properties = apps.get_model("properties", "Property").objects.order_by()
    for each in properties.iterator():
        keys = {"name_key": fold(each.name), "city_key": fold(each.city)}
        properties.filter(pk=each.pk).update(**keys, country=each.country.upper())


class Migration(migrations.Migration):

    dependencies = [
        ('properties', '0002_spoken_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='property',
            name='city_key',
            field=accounts.derived.DerivedCharField(blank=True, default='', derive=accounts.text.fold, editable=False, max_length=300, source='city'),
        ),
        migrations.AddField(
            model_name='property',
            name='name_key',
            field=accounts.derived.DerivedCharField(blank=True, db_index=True, default='', derive=accounts.text.fold, editable=False, max_length=600, source='name'),
        ),
        migrations.AlterField(
            model_name='property',
            name='country',
            field=accounts.countries.CountryField(blank=True, max_length=2),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
