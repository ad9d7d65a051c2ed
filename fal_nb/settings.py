"""Settings: read in one place, once, with the reason for each, so that nothing else looks at the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from fal_nb.errors import ConfigError
from fal_nb.protocol.urls import Hosts, is_loopback, origin

__all__ = ["Backend", "Given", "Settings", "find_key", "home_folder", "resolve_settings"]

Backend: TypeAlias = Literal["fal", "server", "proxy", "simulator"]
"""``fal`` the service itself, ``server`` another base URL, ``proxy`` a key-holding proxy, ``simulator`` ours."""

KEYRING_SERVICE = "fal_nb"
KEYRING_USER = "FAL_KEY"


@dataclass(frozen=True)
class Settings:
    """Where calls go and with which key.

    Attributes
    ----------
    key
        ``key_id:key_secret`` or None; never part of a repr or a pickle.
    key_source
        In words, for ``%fal config``.
    home
        Folder of history, artifacts and caches.
    """

    backend: Backend
    hosts: Hosts
    home: Path
    reason: str
    key: str | None = field(default=None, repr=False)
    key_source: str = "none"
    proxy_url: str | None = field(default=None, repr=False)

    @property
    def is_billed(self) -> bool:
        """Whether calls cost money, as far as can be told: everything but the simulator."""
        return self.backend != "simulator"

    def __reduce__(self) -> tuple[type[Settings], tuple[object, ...]]:
        """Leave out what must not lie in a file: the key, and the proxy's address, which can hold one."""
        return Settings, (self.backend, self.hosts, self.home, self.reason, None, self.key_source, None)

    def __copy__(self) -> Settings:
        return self

    def __deepcopy__(self, _memo: object) -> Settings:
        return self


class Given:
    """What a caller chose by arguments, kept where no repr and no traceback with variables shows it."""

    def __init__(self, key: str | None = None, base_url: str | None = None, proxy_url: str | None = None) -> None:
        self._key, self._base_url, self._proxy_url = key, base_url, proxy_url

    def resolve(self) -> Settings | None:
        """Return the settings in force; see `resolve_settings`."""
        return resolve_settings(key=self._key, base_url=self._base_url, proxy_url=self._proxy_url)


def home_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of history, artifacts and caches: ``FAL_NB_HOME``, else the platform's user data folder."""
    environ = os.environ if environ is None else environ
    chosen = environ.get("FAL_NB_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 - keeps the package's import light

    return Path(platformdirs.user_data_dir("fal_nb", appauthor=False))


def find_key(environ: Mapping[str, str], folder: Path | None) -> tuple[str | None, str]:
    """Return (key, where it was found) from the environment, a ``.env``, Colab's secrets or the keyring.

    Parameters
    ----------
    folder
        Where the search for ``.env`` begins, going up; None leaves it out.
    """
    for source, values in (("the environment", environ), _dotenv(folder)):
        if values.get("FAL_KEY"):
            return values["FAL_KEY"].strip(), f"FAL_KEY in {source}"
        if values.get("FAL_KEY_ID") and values.get("FAL_KEY_SECRET"):
            key = f"{values['FAL_KEY_ID'].strip()}:{values['FAL_KEY_SECRET'].strip()}"
            return key, f"FAL_KEY_ID and FAL_KEY_SECRET in {source}"
    for read, source in ((_colab_secret, "Colab's secrets"), (_keyring_secret, "the system keyring")):
        secret = read()
        if secret:
            return secret, source
    return None, "none"


def resolve_settings(
    *,
    key: str | None = None,
    base_url: str | None = None,
    proxy_url: str | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings | None:
    """Return the settings in force, or None where nothing is configured and the simulator should serve.

    Raises
    ------
    ConfigError
        Where a base or proxy URL is not acceptable.
    """
    settings, problem = _resolved(key, base_url, proxy_url, os.environ if environ is None else environ, folder)
    # A traceback that shows variables must not show these.
    del key, base_url, proxy_url, environ
    if problem is not None:
        raise ConfigError(problem)
    return settings


def _resolved(
    key: str | None, base_url: str | None, proxy_url: str | None, environ: Mapping[str, str], folder: Path | None
) -> tuple[Settings | None, str | None]:
    """Return (settings, what is wrong); it raises nothing, as its frame holds the key."""
    home = home_folder(environ)
    source = "the key argument"
    if not key:
        key, source = find_key(environ, Path.cwd() if folder is None else folder)
    base = base_url or environ.get("FAL_NB_BASE_URL")
    if base:
        reason = "base_url was given" if base_url else "FAL_NB_BASE_URL is set"
        try:
            hosts = Hosts.under(base)
        except ConfigError as error:
            return None, str(error)
        return Settings("server", hosts, home, reason, key, source), None
    if proxy_url:
        if not proxy_url.startswith("https://") and not is_loopback(proxy_url):
            return None, "A proxy_url that is not on this machine must begin with https://."
        if origin(proxy_url) is None:
            return None, "proxy_url must be an address without a user name or a password in it."
        return Settings("proxy", Hosts(), home, "proxy_url was given", None, "the proxy's", proxy_url), None
    if key:
        return Settings("fal", Hosts(), home, f"a key was found: {source}", key, source), None
    return None, None


def _dotenv(folder: Path | None) -> tuple[str, Mapping[str, str]]:
    """Return the FAL_KEY* values of the nearest ``.env`` above `folder`; every other name in it is left alone."""
    if folder is None:
        return "no .env", {}
    for candidate in (folder, *folder.parents):
        path = candidate / ".env"
        try:
            if not path.is_file():
                continue
            from dotenv import dotenv_values  # noqa: PLC0415 - only where there is a .env

            values = dotenv_values(path, interpolate=False)
        except OSError:
            continue
        wanted = {name: value for name, value in values.items() if name.startswith("FAL_KEY") and value}
        if wanted:
            return f"{path}", wanted
    return "no .env", {}


def _colab_secret() -> str | None:
    if "google.colab" not in sys.modules:
        return None
    try:
        from google.colab import userdata  # noqa: PLC0415 - exists on Colab only

        return str(userdata.get("FAL_KEY") or "") or None
    except Exception:  # noqa: BLE001 - Colab raises its own classes where the secret is absent or not granted
        return None


def _keyring_secret() -> str | None:
    try:
        import keyring  # noqa: PLC0415 - optional package
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return keyring.get_password(KEYRING_SERVICE, KEYRING_USER) or None
    except KeyringError:
        return None
