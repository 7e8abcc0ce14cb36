from typing import Any

import requests

from sandbox.brevo.server import Sandbox


class Api:
    """A bare client: it knows the address and the key, and nothing else."""

    def __init__(self, brevo: Sandbox, key: str | None = "sandbox") -> None:
        self.brevo = brevo
        self.session = requests.Session()
        if key is not None:
            self.session.headers["api-key"] = key

    def call(self, method: str, path: str, body: Any = None, **arguments: Any) -> requests.Response:
        return self.session.request(
            method, self.brevo.url + path, json=body, params=arguments, timeout=5
        )

    def get(self, path: str, **arguments: Any) -> requests.Response:
        return self.call("GET", path, **arguments)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.call("POST", path, body)

    def put(self, path: str, body: Any) -> requests.Response:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    def make_folder(self, name: str = "Campaign Segments") -> int:
        return self.post("/contacts/folders", {"name": name}).json()["id"]

    def make_list(self, name: str = "Lagos", folder_id: int | None = None) -> int:
        body = {"name": name, "folderId": folder_id or self.make_folder()}
        return self.post("/contacts/lists", body).json()["id"]

    def import_(self, list_id: int, *rows: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Import rows, wait for it, and return its process."""
        body = {"listIds": [list_id], "jsonBody": list(rows), **options}
        answer = self.post("/contacts/import", body)
        assert answer.status_code == 202, answer.text
        self.brevo.wait_for_imports()
        return self.get(f"/processes/{answer.json()['processId']}").json()

    def csv(self, process: dict[str, Any], kind: str) -> list[str]:
        text = requests.get(process["info"]["import"][kind], timeout=5).text
        return text.splitlines()[1:]


def person(email: str, **attributes: Any) -> dict[str, Any]:
    return {"email": email, "attributes": attributes}


def error(answer: requests.Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body["message"]
