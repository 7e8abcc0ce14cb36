from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import history  # noqa: F401, PLC0415 -- it listens, and needs the models
