from typing import Any

from django.db import migrations


def leave_room(_apps: Any, schema_editor: Any) -> None:
    """Let PostgreSQL write outcomes beside the lines they belong to.

    Every line is updated once, after it was inserted by the thousand. With room in its page the
    update touches no index.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE campaigns_exportchange SET (fillfactor = 50)")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]
    operations = [migrations.RunPython(leave_room, migrations.RunPython.noop)]
