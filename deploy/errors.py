"""Everything that can go wrong when a service is run on this machine."""


class DeployError(Exception):
    """A service cannot be fetched, started or reached; the message is meant for people."""


class JavaMissing(DeployError):
    """No Java on this machine is new enough."""


class MavenMissing(DeployError):
    """The command `mvn` is not on the PATH."""


class FetchFailed(DeployError):
    """Maven could not bring the files of a service."""


class PortInUse(DeployError):
    """Another process listens on the port, or the service already runs on another one."""


class DataFolderInUse(DeployError):
    """A process that this data folder knows nothing about works on it."""


class StartFailed(DeployError):
    """The service ended, or did not answer in time, while it was being started."""


class NeverStarted(DeployError):
    """The address is asked for before the first start has settled it."""
