"""What a sync compares to find changed data. PostgreSQL writes the table of users anew for it."""

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_search_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='contact_fingerprint',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Cast(django.db.models.functions.text.MD5(django.db.models.functions.text.Concat(models.F('first_name'), models.Value('\x1f'), models.F('last_name'), models.Value('\x1f'), models.F('phone_e164'), models.Value('\x1f'), models.F('country'), models.Value('\x1f'), models.F('state'), models.Value('\x1f'), models.F('referral_source'), models.Value('\x1f'), output_field=models.TextField())), models.UUIDField()), output_field=models.UUIDField()),
        ),
    ]
