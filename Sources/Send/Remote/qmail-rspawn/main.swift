import Posix
import RemoteSpawner

Process.exit(RspawnProgram.run())
