import Posix
import Sender

Process.exit(SendProgram.run())
