"""The files that programs and libraries need wherever they are installed: readable for a confined process."""

import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

PARTS_OF_PYTHON: Final = ("bin", "lib", "lib64", "libexec", "include", "share", "pyvenv.cfg")
PACKAGES: Final = frozenset({"site-packages", "dist-packages"})
SYSTEM: Final = tuple(
    map(Path, ("/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/share", "/usr/local/lib",
               "/usr/local/bin", "/usr/local/share", "/bin", "/lib", "/lib32", "/lib64", "/nix/store"))
)  # fmt: skip
CONFIGURATION: Final = tuple(
    Path("/etc") / name
    for name in ("alternatives", "ca-certificates", "crypto-policies", "fonts", "gai.conf", "host.conf", "hosts",
                 "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "pki",
                 "protocols", "resolv.conf", "services", "ssl/certs", "ssl/openssl.cnf", "timezone")
)  # fmt: skip
MACHINE: Final = tuple(
    map(Path, ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm/overcommit_memory",
               "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/kernel/mm/transparent_hugepage"))
)  # fmt: skip
DEVICES: Final = tuple(map(Path, ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")))
RESOLVER: Final = (Path("/run/systemd/resolve"), Path("/run/resolvconf"))
"""Where /etc/resolv.conf leads to."""


def readable() -> tuple[Path, ...]:
    """All of the system and of Python's packages that this process may need.

    Of other folders on Python's path, such as a repository, only the packages in use: data may lie beside them.
    """
    return (*_installed(), *CONFIGURATION, *MACHINE, *RESOLVER, *in_use())


def in_use() -> tuple[Path, ...]:
    """The imported top-level packages and modules that are not installed, such as those of a repository."""
    specs = (getattr(module, "__spec__", None) for module in tuple(sys.modules.values()))
    return tuple(_outside(specs, _installed()))


def _installed() -> list[Path]:
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)}
    own = [prefix / part for prefix in sorted(prefixes) for part in PARTS_OF_PYTHON]
    packages = [Path(entry) for entry in sys.path if PACKAGES.intersection(Path(entry).parts)]
    return [*SYSTEM, *own, *packages]


def _outside(specs: Iterable[ModuleSpec | None], covered: Iterable[Path]) -> Iterator[Path]:
    known = [str(path) for path in covered]
    for spec in specs:
        if spec is None or "." in spec.name:
            continue
        origins = spec.submodule_search_locations or ([spec.origin] if spec.has_location and spec.origin else [])
        for origin in origins:
            path = Path(origin)
            if path.is_absolute() and not any(path.is_relative_to(one) for one in known):
                yield path
