import HostStart
import Posix

Process.exit(HostProgram.run(Process.arguments, .current).rawValue)
