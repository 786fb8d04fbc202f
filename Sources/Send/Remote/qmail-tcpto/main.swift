import Posix
import RemoteDelivery

Process.exit(TimeoutTools.list(.current))
