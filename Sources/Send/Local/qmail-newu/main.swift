import MailUsers
import Posix

Process.exit(NewuProgram.run())
