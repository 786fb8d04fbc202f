import Posix
import RuleDatabase

Process.exit(TcprulesProgram.run())
