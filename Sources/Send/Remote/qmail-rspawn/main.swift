internal import Posix
internal import RemoteSpawner

Process.exit(RspawnProgram.run())
