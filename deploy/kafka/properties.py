"""The settings of the local broker."""

from pathlib import Path

from deploy.ports import HOST

_MESSAGE_BYTES = 8 * 1024 * 1024


def broker_properties(
    records: Path, port: int, controller_port: int, proxied: tuple[int, int] | None = None
) -> str:
    """Return the text of a `server.properties`: broker and controller in one process.

    `records` is the folder for what the topics hold. All ports are bound to 127.0.0.1 only.
    `proxied` adds a listener for clients behind a proxy: its port, and the proxy's, which is the
    one that they are told.
    """
    behind, proxy = (f",PROXIED://{HOST}:{one}" for one in proxied) if proxied else ("", "")
    settings: dict[str, str | int] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        # A static quorum: the controller's port may change between runs.
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"BROKER://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}{behind}",
        "advertised.listeners": f"BROKER://{HOST}:{port}{proxy}",
        "listener.security.protocol.map": (
            "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT"
        ),
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": _escaped(str(records)),
        "auto.create.topics.enable": "false",
        "num.partitions": 1,
        "message.max.bytes": _MESSAGE_BYTES,
        "replica.fetch.max.bytes": _MESSAGE_BYTES,
        # One broker cannot hold a second copy of its own topics.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 4,
        # Tests start groups by the dozen, and want a dead member noticed soon.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "group.consumer.min.session.timeout.ms": 1000,
        # After a kill the controller waits until the former broker's session is over before it
        # lets the new one in: a restart would take 12 s with the default of 9,000.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # Two cores and a small heap: the defaults are for a server (the buffer's is 128 MB).
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    """Return a value as a properties file wants it: ASCII, no backslash of its own."""
    utf16 = value.encode("utf-16-be")
    units = [int.from_bytes(utf16[i : i + 2], "big") for i in range(0, len(utf16), 2)]
    return "".join(
        chr(unit) if 32 < unit < 127 and chr(unit) != "\\" else f"\\u{unit:04x}" for unit in units
    )
