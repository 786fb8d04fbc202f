import Posix
import SMTPSession

Process.exit(SMTPServer.run(Process.arguments, .current))
