import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DJANGO_DEBUG": "True",
    "BREVO_API_KEY": "from-settings",
}


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "brevo_sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_a_real_key_is_refused() -> None:
    with pytest.raises(CommandError, match="never runs in production"):
        call_command("brevo_sandbox", "--key", "xkeysib-0123")


def test_a_real_key_in_the_settings_is_refused(settings) -> None:
    settings.BREVO_API_KEY = "xkeysib-0123"

    with pytest.raises(CommandError, match="never runs in production"):
        call_command("brevo_sandbox")


def test_a_bad_fault_is_refused_with_the_syntax(tmp_path) -> None:
    with pytest.raises(CommandError, match="524@POST /contacts/import"):
        call_command("brevo_sandbox", "--data", ":memory:", "--fault", "teapot")


def test_a_port_in_use_is_one_clear_sentence(brevo) -> None:
    port = brevo.page_url.rsplit(":", 1)[1].strip("/")

    with pytest.raises(CommandError, match=f"^Port {port} is in use: stop .*--port.$"):
        call_command("brevo_sandbox", "--data", ":memory:", "--port", port)


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_a_port_that_cannot_be_is_one_clear_sentence(port) -> None:
    with pytest.raises(CommandError, match="cannot start"):
        call_command("brevo_sandbox", f"--port={port}", "--data", ":memory:")


def test_a_data_file_that_is_no_database_is_one_clear_sentence(tmp_path) -> None:
    file = tmp_path / "data"
    file.write_text("x" * 5000)

    with pytest.raises(CommandError, match="cannot be used as data"):
        call_command("brevo_sandbox", "--data", str(file), "--port", free_port())


def test_the_help_shows_how_to_write_a_fault(capsys) -> None:
    with pytest.raises(SystemExit):
        call_command("brevo_sandbox", "--help")

    shown = capsys.readouterr().out
    assert "KIND[=VALUE][@METHOD PATHGLOB][*TIMES][+SKIP]" in shown
    assert "import-partly[=N]" in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_serves_and_ends_cleanly(tmp_path, number) -> None:
    port = free_port()
    process = start("--port", port, "--data", str(tmp_path / "brevo.sqlite3"), "--french")
    assert process.stdout is not None
    said = process.stdout.readline()
    url = f"http://127.0.0.1:{port}/v3"
    headers = {"api-key": "from-settings"}
    answer = requests.get(f"{url}/contacts/attributes", headers=headers, timeout=5)
    stranger = requests.get(f"{url}/account", headers={"api-key": "sandbox"}, timeout=5)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)

    assert url in said
    assert {"PRENOM", "NOM"} < {item["name"] for item in answer.json()["attributes"]}
    assert answer.headers["x-sib-ratelimit-limit"] == "10"
    assert stranger.status_code == 401
    assert (process.returncode, out, err) == (0, "", "")
