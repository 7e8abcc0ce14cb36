from typing import Any

class RowResult:
    IMPORT_TYPE_NEW: str
    IMPORT_TYPE_UPDATE: str
    IMPORT_TYPE_SKIP: str
    IMPORT_TYPE_INVALID: str

class Result:
    rows: list[Any]
    invalid_rows: list[Any]
