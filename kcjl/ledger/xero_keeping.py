"""The refresh token of an app that a person connected to Xero: one file, for its owner's eyes.

Promises: the new token is on the disk before the old one is gone; no moment is without one.
Xero takes the old one for half an hour more, so that a lost answer can be asked for again.
Called by `xero_http.py`, beside the event loop. Source: Xero's OAuth 2.0 guide, token refresh.
"""

import os
from pathlib import Path

from kcjl.discretion import Secret
from kcjl.errors import CredentialsRefused, Unavailable
from kcjl.ledger.filing import half_of

__all__ = ["keep_refresh_token", "kept_refresh_token"]


def kept_refresh_token(file: Path) -> Secret:
    """Raises CredentialsRefused where there is none, or where others can read it."""
    try:
        open_to_others = file.stat().st_mode & 0o077
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise CredentialsRefused(
            f"the refresh token can't be read from {file}: connect the app to Xero again, "
            "and put the token there"
        ) from None
    if open_to_others:
        raise CredentialsRefused(f"{file} can be read by others: chmod 600 {file}")
    if not token:
        raise CredentialsRefused(f"{file} is empty: connect the app to Xero again")
    return Secret(token)


def keep_refresh_token(file: Path, token: str) -> None:
    """On the disk when it returns. Raises Unavailable; the old one stands then."""
    half = half_of(file)
    try:
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(token)
            out.flush()
            os.fsync(out.fileno())
        half.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Unavailable(f"{file} can't be written: {error.strerror}") from None
