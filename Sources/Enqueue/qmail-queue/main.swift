import Posix
import QueueStore

Process.exit(QueueProgram.run())
