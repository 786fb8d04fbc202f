import Posix
import QueueStore

Process.exit(QueueFixProgram.run())
