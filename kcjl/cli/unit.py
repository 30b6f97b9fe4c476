"""`kcjl service unit`: the service under systemd, as a unit file to copy.

It names this very program and the configuration by their whole paths, and allows the service no
more than it needs. Called by the command line.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kcjl.cli.places import DEFAULT_CONFIG, Config, printable, printable_block, settings_at
from kcjl.errors import Misuse

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The service under a supervisor.")


@app.callback()
def group() -> None:
    """One verb may become more."""


@app.command("unit")
def unit(
    config: Config = DEFAULT_CONFIG,
    *,
    user: Annotated[
        str, typer.Option("--user", help="The account that it runs as; not root.")
    ] = "kcjl",
    secrets: Annotated[
        Path, typer.Option("--secrets", help="A file of KEY=value lines, readable by root.")
    ] = Path("/etc/kcjl/secrets.env"),
) -> None:
    """Print a hardened systemd unit for this configuration.

    Example: `kcjl service unit -c /etc/kcjl/kcjl.toml > /etc/systemd/system/kcjl.service`.
    """
    if user == "root":
        raise Misuse("--user root: it needs no power over the machine; give it an account")
    settings = settings_at(config)
    folder = Path(settings.data_dir).resolve()
    typer.echo(
        printable_block(
            unit_text(
                program=f"{sys.executable} -m kcjl",
                config=Path(config).resolve(),
                data_dir=folder,
                user=user,
                secrets=secrets,
            )
        ),
        nl=False,
    )
    if not os.access(folder, os.W_OK):
        typer.echo(printable(f"make {folder} first, and give it to {user}"), err=True)


def unit_text(*, program: str, config: Path, data_dir: Path, user: str, secrets: Path) -> str:
    """The unit. The watchdog is fed by the event loop; a configuration that can't be used
    (exit code 2) is not tried again and again.
    """
    return f"""\
[Unit]
Description=kcjl: John Lewis Marketplace and Khaos Control
Wants=network-online.target
After=network-online.target postgresql.service
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={program} run --config {config}
EnvironmentFile=-{secrets}
User={user}
WorkingDirectory={data_dir}
ReadWritePaths={data_dir}
Restart=always
RestartSec=5
RestartPreventExitStatus=2
TimeoutStartSec=infinity
TimeoutStopSec=30
WatchdogSec=60
KillMode=mixed
UMask=0077
LimitNOFILE=8192
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
PrivateDevices=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
