"""Reading answers in tests."""

from typing import Any


def problem_of(response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


def fields(problem) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in problem["errors"]]
