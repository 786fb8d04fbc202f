import MailUsers
import Posix

Process.exit(GetpwProgram.run())
