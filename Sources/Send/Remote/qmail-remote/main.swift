import MailRoutes
import Posix

Process.exit(RemoteProgram.run(Process.arguments, .current))
