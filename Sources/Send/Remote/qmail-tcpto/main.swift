internal import Posix
internal import RemoteDelivery

Process.exit(TimeoutTools.list(.current))
