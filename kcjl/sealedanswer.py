"""An answer that only its asker can read, whatever keeps it on the way.

Promises: the asker makes a key pair for one question and names the public half in it; the
answer is sealed to that half (X25519, HKDF-SHA256, AES-256-GCM), so a table that holds it
holds nothing readable, and nothing opens it once the asker is gone. It does not know what it
seals.
Called by the orders room (sealing) and by the CLI (asking, opening).
"""

import secrets
from base64 import b64decode, b64encode
from binascii import Error as NotBase64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kcjl.discretion import Hidden
from kcjl.errors import Misuse

__all__ = ["Asker", "seal_for"]

KEY_BYTES = 32
NONCE_BYTES = 12
_PURPOSE = b"kcjl sealed answer 1"


class Asker:
    """Who asks once: its key pair lives as long as the question."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.key = b64encode(self._private.public_key().public_bytes_raw()).decode()
        """The public half, to be named in the question."""

    def open(self, answer: str) -> Hidden:
        """Raises Misuse for what was not sealed for this asker, or was changed."""
        try:
            raw = b64decode(answer, validate=True)
            theirs = X25519PublicKey.from_public_bytes(raw[:KEY_BYTES])
            shared = self._private.exchange(theirs)
            nonce = raw[KEY_BYTES : KEY_BYTES + NONCE_BYTES]
            sealed = raw[KEY_BYTES + NONCE_BYTES :]
            return Hidden(AESGCM(_derived(shared)).decrypt(nonce, sealed, _PURPOSE))
        except (InvalidTag, NotBase64, ValueError):
            raise Misuse("the answer was not sealed for this question: ask again") from None


def seal_for(asker_key: str, content: bytes) -> str:
    """Seal content for whoever holds the private half. Raises Misuse for what is no key."""
    try:
        theirs = X25519PublicKey.from_public_bytes(b64decode(asker_key, validate=True))
        own = X25519PrivateKey.generate()
        shared = own.exchange(theirs)  # refuses a point that would make any secret the same
    except (NotBase64, ValueError):
        raise Misuse("the asker's key is none: 32 bytes in base64 are expected") from None
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_derived(shared)).encrypt(nonce, content, _PURPOSE)
    return b64encode(own.public_key().public_bytes_raw() + nonce + sealed).decode()


def _derived(shared: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_PURPOSE).derive(shared)
