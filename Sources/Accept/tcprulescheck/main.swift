import Posix
import RuleDatabase

Process.exit(TcprulescheckProgram.run())
