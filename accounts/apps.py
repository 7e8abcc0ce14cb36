from django.apps import AppConfig
from django.db.backends.signals import connection_created


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import checks  # noqa: F401, PLC0415 -- registers itself
        from config.files import make_new_database_private  # noqa: PLC0415

        connection_created.connect(make_new_database_private)
