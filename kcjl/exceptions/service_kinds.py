"""The kinds of exceptions of the service itself: see `catalogue.py`.

Promises: plain records. Called by `catalogue.py`.
"""

from kcjl.exceptions.kind import Kind

__all__ = ["SERVICE_KINDS"]

SERVICE_KINDS: tuple[Kind, ...] = (
    Kind(
        name="writes_off",
        severity="critical",
        lane="Service",
        owner="operations",
        clears="writes are allowed again",
        next_step="when the reason is gone: kcjl writes on; what waited then goes out",
        commands=("kcjl writes on --reason WHY",),
        stays="nothing is written to the outside: allow it again",
    ),
    Kind(
        name="job_interrupted",
        severity="high",
        lane="Service",
        owner="engineering",
        clears="the job works again",
        next_step="nothing if it passes: it is tried again with growing pauses; if it "
        "stays, check the named system",
        stays="the job does not run: see the named system",
    ),
    Kind(
        name="credentials_refused",
        severity="critical",
        lane="Service",
        owner="engineering",
        clears="a job that was refused works again",
        next_step="the other side does not accept our key or user: nothing on it works. "
        "Renew the key there, put it where the configuration says, and start the "
        "service again",
        stays="nothing works on that side: the key has to be mended",
    ),
    Kind(
        name="rate_limited",
        severity="medium",
        lane="Service",
        owner="engineering",
        clears="a job that was slowed down works again",
        next_step="nothing if it passes: we wait as long as we are asked to. If it stays, "
        "see who else calls with this key, or make the polls of kcjl.toml slower",
        commands=("kcjl calls --outcome rate_limited",),
    ),
    Kind(
        name="certificate_changed",
        severity="critical",
        lane="Service",
        owner="engineering",
        clears="a job that met it works again",
        next_step="nothing was sent. If the certificate was renewed, set certificate_sha256"
        " and start again; if not, somebody is between",
        stays="nothing is sent to a stranger: pin the new certificate, or find out who it is",
    ),
    Kind(
        name="certificate_expiring",
        severity="high",
        lane="Service",
        owner="engineering",
        clears="another certificate is shown that lasts",
        next_step="have the certificate renewed before its day; a pinned one also needs its"
        " new certificate_sha256",
    ),
    Kind(
        name="feed_stale",
        severity="high",
        lane="Service",
        owner="engineering",
        clears="it is read again",
        next_step="see why it is not read: kcjl calls, and the interrupted jobs on this desk",
        commands=("kcjl calls",),
        stays="nothing new is seen of that side: see why it is not read",
    ),
    Kind(
        name="clock_skew",
        severity="high",
        lane="Service",
        owner="engineering",
        clears="the clocks agree again",
        next_step="set this machine's clock by a time server (timedatectl); stamps and "
        "deadlines are judged by it",
        stays="deadlines are judged by a wrong clock: set it",
    ),
    Kind(
        name="disk_low",
        severity="critical",
        lane="Service",
        owner="engineering",
        clears="there is room again",
        next_step="free space where data_dir is, or give it a larger disk: without room the"
        " database stops",
        stays="without room the database stops: free some",
    ),
    Kind(
        name="lease_lost",
        severity="high",
        lane="Service",
        owner="engineering",
        clears="the lease was held for an hour without a break",
        next_step="see why the database could not be reached, or who else runs this "
        "merchant; nothing was written twice, the log is fenced",
    ),
    Kind(
        name="chain_broken",
        severity="critical",
        lane="Service",
        owner="engineering",
        clears="a later look finds the chain whole",
        next_step="stop, keep the database as it is, and compare with a backup: kcjl log "
        "verify names what is wrong",
        commands=("kcjl log verify",),
        stays="the record is not what was written: compare with a backup",
    ),
    Kind(
        name="projection_behind",
        severity="high",
        lane="Service",
        owner="engineering",
        clears="the lists have caught up",
        next_step="see whether the service's processor or the database is too busy; lists "
        "show what was, until they have caught up. If it stays: kcjl log rebuild",
        commands=("kcjl log rebuild",),
    ),
    Kind(
        name="alert_channel_down",
        severity="high",
        lane="Service",
        owner="engineering",
        clears="a message gets through on it",
        next_step="nobody is told over it meanwhile, so look at the desk. See what it answers, "
        "and mend its settings or the server; what waits goes as one message. Accept it where "
        "alerts were taken out of the settings",
        commands=("kcjl alerts list", "kcjl alerts test --channel CHANNEL"),
    ),
    Kind(
        name="left_out",
        severity="critical",
        lane="Service",
        owner="engineering",
        clears="it is final, waits for somebody, or is told of by an exception",
        next_step="settle the order or the parcel by hand and report it: nothing waits for it "
        "and nobody was told, which must not be",
        commands=("kcjl orders show {order}",),
    ),
)
