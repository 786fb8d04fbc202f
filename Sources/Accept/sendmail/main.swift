import Injection
import Posix

Process.exit(SendmailProgram.run())
