import Posix
import SendStart

Process.exit(StartProgram.run())
