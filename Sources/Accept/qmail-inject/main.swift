import Injection
import Posix

Process.exit(InjectProgram.run())
