"""A digest of a set: the same members give the same digest, in whatever order they come."""

from hashlib import sha256


class SetDigest:
    """Adds up the SHA-256 of each member, so that nothing has to be sorted or kept."""

    _MODULUS = 1 << 256

    def __init__(self) -> None:
        self._sum = 0
        self.count = 0

    def add(self, member: str) -> None:
        self._sum += int.from_bytes(sha256(member.encode("utf-8", "replace")).digest(), "big")
        self.count += 1

    def hexdigest(self) -> str:
        return f"{self._sum % self._MODULUS:064x}"
