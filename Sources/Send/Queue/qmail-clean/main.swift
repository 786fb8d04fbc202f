import Cleaner
import Posix

Process.exit(CleanProgram.run())
