internal import HostStart
internal import Posix

Process.exit(HostProgram.run(Process.arguments, .current).rawValue)
